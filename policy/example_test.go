package policy_test

import (
	"fmt"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
)

// A chat completion is retried after a 500. Creating a file is not: the upstream may
// have created it.
func ExampleRetry_Decide() {
	retry := policy.Retry{Max: 7, Base: 500 * time.Millisecond, Cap: 16 * time.Second, AfterMax: time.Minute}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, path := range []string{"/v1/chat/completions", "/v1/files"} {
		verdict := classify.Classify(classify.Attempt{
			Status: 500, Progress: classify.Answered, Effect: endpoint.Of("POST", path, endpoint.Facts{}).Effect, Now: now,
		})
		d := retry.Decide(policy.Try{Verdict: verdict, Now: now, Deadline: now.Add(time.Minute), Replayable: true})
		fmt.Println(path, d.Action, d.Delay, d.Reason)
	}
	// Output:
	// /v1/chat/completions again 500ms retry
	// /v1/files return 0s ambiguous
}
