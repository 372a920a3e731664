package classify_test

import (
	"fmt"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
)

// Three answers with status 429 mean three different things.
func ExampleClassify() {
	for _, body := range []string{
		`{"error":{"message":"Rate limit reached for gpt-4o on requests per min (RPM): Limit 60, Used 60, Requested 1. Please try again in 1s.","type":"requests","code":"rate_limit_exceeded"}}`,
		`{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}`,
		`{"error":{"message":"Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000.","type":"tokens","code":"rate_limit_exceeded"}}`,
	} {
		v := classify.Classify(classify.Attempt{
			Status: 429, Body: []byte(body), Progress: classify.Answered, Effect: endpoint.Compute,
			Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		})
		fmt.Println(v.Outcome, "retry:", v.Repeat, "wait:", v.Wait, "remember:", v.Trip)
	}
	// Output:
	// rate_limited retry: pause wait: 1s remember: false
	// quota retry: never wait: 0s remember: true
	// never_fits retry: never wait: 0s remember: false
}
