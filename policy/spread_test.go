package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// patient is a Retry whose retries take over 30 s.
var patient = policy.Retry{Max: 10, Base: 500 * time.Millisecond, Cap: 8 * time.Second, AfterMax: time.Minute}

// spread returns when the attempts are made of a call that fails for good.
func spread(r policy.Retry, few int, v classify.Verdict) []time.Duration {
	at, all := time.Duration(0), []time.Duration{0}
	for n := 0; ; n++ {
		d := r.DecideFew(policy.Try{Retries: n, Verdict: v, Now: start.Add(at), Replayable: true, Rand: 0}, few)
		if d.Action != policy.Again {
			return all
		}
		at += d.Delay
		all = append(all, at.Round(time.Millisecond))
	}
}

func TestDecideFew_SpreadsAttemptsOverTheOutageToSurvive(t *testing.T) {
	backoff := classify.Verdict{Repeat: classify.Backoff}
	hinted := classify.Verdict{Repeat: classify.Backoff, Wait: 5 * time.Second}
	short := policy.Retry{Max: 2, Base: 100 * time.Millisecond, Cap: time.Second, AfterMax: time.Minute}
	tests := map[string]struct {
		retry   policy.Retry
		few     int
		verdict classify.Verdict
		want    []time.Duration
	}{
		"three":                       {patient, 3, backoff, []time.Duration{0, 2 * time.Second, 30 * time.Second}},
		"four":                        {patient, 4, backoff, []time.Duration{0, 2 * time.Second, 7746 * time.Millisecond, 30 * time.Second}},
		"two":                         {patient, 2, backoff, []time.Duration{0, 30 * time.Second}},
		"one":                         {patient, 1, backoff, []time.Duration{0}},
		"none counts as one":          {patient, 0, backoff, []time.Duration{0}},
		"a hint lengthens a wait":     {patient, 3, hinted, []time.Duration{0, 5 * time.Second, 33 * time.Second}},
		"RETRY_MAX is the bound":      {policy.Retry{Max: 1, Base: time.Second, Cap: time.Second}, 3, backoff, []time.Duration{0, time.Second}},
		"no longer than all retries":  {short, 3, backoff, []time.Duration{0, 20 * time.Millisecond, 300 * time.Millisecond}},
		"what is final stays final":   {patient, 3, classify.Verdict{Repeat: classify.Never}, []time.Duration{0}},
		"without retries there is no": {policy.Retry{}, 3, backoff, []time.Duration{0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { equal(t, "attempts at", spread(tt.retry, tt.few, tt.verdict), tt.want) })
	}
}

func TestDecideFew_LastAttemptIsMadeBeforeTheDeadline(t *testing.T) {
	d := patient.DecideFew(policy.Try{
		Retries: 1, Verdict: classify.Verdict{Repeat: classify.Backoff}, Now: start, Deadline: start.Add(10 * time.Second),
		Took: 2 * time.Second, Replayable: true,
	}, 3)
	equal(t, "decision", d, policy.Decision{Action: policy.Again, Delay: 4 * time.Second, Reason: policy.ReasonRetry})
}

func TestSelfRetries_KnowsClientsByWhatTheySend(t *testing.T) {
	for agent, want := range map[string]int{
		"ai/7.0.173 ai-sdk-provider-utils/5.0.81 node.js/v20.20.2":            3,
		"ai-sdk-openai/4.0.118 ai-sdk-provider-utils/5.0.81 node.js/v20.20.2": 3,
		"ai/5.0.8 ai-sdk/provider-utils/3.0.3 runtime/node.js/v22":            3,
		"langchainjs-openai/1.0.0 ((node/v20.20.2; linux; x64))":              4,
		"langchain4j-openai":   3,
		"OpenAI/Python 3.54.0": 0,
		"Anthropic/JS 1.14.0":  0,
		"Go-http-client/1.1":   0,
		"":                     0,
	} {
		if got := policy.SelfRetries(agent); got != want {
			t.Errorf("%q: %d, want %d", agent, got, want)
		}
	}
}

func TestTrend_SuccessSoonAfterAFailureMeansIll(t *testing.T) {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var trend policy.Trend
	check := func(what string, now time.Time, want bool) {
		t.Helper()
		if got := trend.Ill(now); got != want {
			t.Errorf("%s: ill %t, want %t", what, got, want)
		}
	}
	trend.Note(at(0), true)
	trend.Note(at(1), false)
	check("down since a second", at(2), false)
	trend.Note(at(5), true)
	check("recovered", at(6), true)
	if !trend.SucceededAfter(at(4)) || trend.SucceededAfter(at(5)) {
		t.Error("SucceededAfter is wrong about a success at 5 s")
	}
	trend.Note(at(40), true)
	check("a minute after it recovered", at(65), false)
	trend.Note(at(70), false)
	trend.Note(at(131), true)
	check("a success long after the failure", at(132), false)
}
