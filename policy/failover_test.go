package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

var anyCause = policy.Failover{
	policy.FailoverBreaker, policy.FailoverUnreachable, policy.FailoverOverloaded, policy.FailoverRateLimited, policy.FailoverQuota,
}

// verdicts of attempts that failed.
var (
	overloaded  = classify.Verdict{Outcome: classify.OutcomeOverloaded, Scope: classify.Upstream, Repeat: classify.Backoff, Breaker: classify.Fault, Status: 503}
	failed      = classify.Verdict{Outcome: classify.OutcomeFailed, Scope: classify.Upstream, Repeat: classify.Backoff, Breaker: classify.Fault, Status: 500}
	timedOut    = classify.Verdict{Outcome: classify.OutcomeTimeout, Scope: classify.Upstream, Repeat: classify.Backoff, Breaker: classify.Fault}
	unreachable = classify.Verdict{Outcome: classify.OutcomeUnreachable, Scope: classify.Upstream, Repeat: classify.Backoff, Breaker: classify.Fault}
	limited     = classify.Verdict{Outcome: classify.OutcomeRateLimited, Scope: classify.Credential, Repeat: classify.Pause, Limiter: classify.LimiterPause, Status: 429}
	unpaid      = classify.Verdict{Outcome: classify.OutcomeQuota, Scope: classify.Credential, Trip: true, Status: 429}
)

func TestEachFailureStandsForOneCause(t *testing.T) {
	tests := map[string]struct {
		verdict classify.Verdict
		want    policy.FailoverCause
	}{
		"a success":                     {classify.Verdict{Status: 200}, ""},
		"unreachable":                   {unreachable, policy.FailoverUnreachable},
		"overloaded":                    {overloaded, policy.FailoverOverloaded},
		"a 500":                         {failed, policy.FailoverOverloaded},
		"a model that fails":            {classify.Verdict{Outcome: classify.OutcomeFailed, Scope: classify.Model, Status: 502}, policy.FailoverOverloaded},
		"a billed half of an answer":    {classify.Verdict{Outcome: classify.OutcomeFailed, Scope: classify.Model, Status: 200}, ""},
		"a conflict":                    {classify.Verdict{Outcome: classify.OutcomeFailed, Repeat: classify.Backoff, Status: 409}, ""},
		"silence":                       {timedOut, policy.FailoverOverloaded},
		"a lost answer":                 {classify.Verdict{Outcome: classify.OutcomeBroke, Scope: classify.Upstream}, policy.FailoverOverloaded},
		"a rate limit":                  {limited, policy.FailoverRateLimited},
		"slow down":                     {classify.Verdict{Outcome: classify.OutcomeSlowDown, Scope: classify.Model}, policy.FailoverRateLimited},
		"a server's whole queue":        {classify.Verdict{Outcome: classify.OutcomeSlowDown, Scope: classify.Upstream}, policy.FailoverOverloaded},
		"no money":                      {unpaid, policy.FailoverQuota},
		"a dead key":                    {classify.Verdict{Outcome: classify.OutcomeCredential}, policy.FailoverQuota},
		"a model the key may not use":   {classify.Verdict{Outcome: classify.OutcomeModel, Trip: true}, policy.FailoverQuota},
		"a model that nobody knows":     {classify.Verdict{Outcome: classify.OutcomeModel}, ""},
		"a request at fault":            {classify.Verdict{Outcome: classify.OutcomeRejected}, ""},
		"a request over the limit":      {classify.Verdict{Outcome: classify.OutcomeNeverFits}, ""},
		"a region":                      {classify.Verdict{Outcome: classify.OutcomeRegion}, ""},
		"a caller that left":            {classify.Verdict{Outcome: classify.OutcomeCanceled}, ""},
		"what the server does not know": {classify.Verdict{Outcome: classify.OutcomeRejected, Scope: classify.Upstream, Breaker: classify.Ignore, Status: 501}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := policy.FailoverFor(tt.verdict); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhenToGoOn(t *testing.T) {
	again := policy.Decision{Action: policy.Again, Delay: 400 * time.Millisecond, Reason: policy.ReasonRetry}
	over := func(r policy.Reason) policy.Decision { return policy.Decision{Reason: r} }
	type edit = func(*policy.Setback)
	tests := map[string]struct {
		verdict  classify.Verdict
		decision policy.Decision
		edit     edit
		on       policy.Failover
		want     policy.FailoverCause
	}{
		"the first overload gets a retry":        {overloaded, again, nil, anyCause, ""},
		"the second goes on":                     {overloaded, again, func(s *policy.Setback) { s.Try.Retries = 1 }, anyCause, policy.FailoverOverloaded},
		"one that opened the breaker goes on":    {overloaded, again, func(s *policy.Setback) { s.Open = true }, anyCause, policy.FailoverOverloaded},
		"a retry that is far off goes on":        {overloaded, policy.Decision{Action: policy.Again, Delay: 1001 * time.Millisecond}, nil, anyCause, policy.FailoverOverloaded},
		"one in a second does not":               {overloaded, policy.Decision{Action: policy.Again, Delay: time.Second}, nil, anyCause, ""},
		"no retries left":                        {overloaded, over(policy.ReasonExhausted), nil, anyCause, policy.FailoverOverloaded},
		"a wait that is too long":                {overloaded, over(policy.ReasonTooLong), nil, anyCause, policy.FailoverOverloaded},
		"a wait beyond the deadline":             {overloaded, over(policy.ReasonDeadline), func(s *policy.Setback) { s.Try.Deadline = start.Add(3 * time.Second) }, anyCause, policy.FailoverOverloaded},
		"too little time for anybody":            {overloaded, over(policy.ReasonDeadline), func(s *policy.Setback) { s.Try.Deadline = start.Add(time.Second) }, anyCause, ""},
		"what must not be repeated here":         {overloaded, over(policy.ReasonFinal), nil, anyCause, policy.FailoverOverloaded},
		"silence goes on":                        {timedOut, again, nil, anyCause, policy.FailoverOverloaded},
		"no connection goes on":                  {unreachable, again, nil, anyCause, policy.FailoverUnreachable},
		"a connection that closed gets a retry":  {unreachable, again, func(s *policy.Setback) { s.Connected = true }, anyCause, ""},
		"a rate limit goes on":                   {limited, policy.Decision{Action: policy.Line, Reason: policy.ReasonRateLimit}, nil, anyCause, policy.FailoverRateLimited},
		"no money goes on":                       {unpaid, over(policy.ReasonFinal), func(s *policy.Setback) { s.Status = 429 }, anyCause, policy.FailoverQuota},
		"a success stays":                        {classify.Verdict{Status: 200}, over(policy.ReasonFinal), nil, anyCause, ""},
		"a cause that is not named":              {overloaded, over(policy.ReasonExhausted), nil, policy.Failover{policy.FailoverQuota}, ""},
		"no causes":                              {overloaded, over(policy.ReasonExhausted), nil, nil, ""},
		"an open breaker instead of a retry":     {overloaded, again, func(s *policy.Setback) { s.Open = true }, policy.Failover{policy.FailoverBreaker}, policy.FailoverBreaker},
		"an open breaker and no retry":           {overloaded, over(policy.ReasonExhausted), func(s *policy.Setback) { s.Open = true }, policy.Failover{policy.FailoverBreaker}, ""},
		"a body that is gone":                    {overloaded, again, func(s *policy.Setback) { s.Try.Replayable, s.Try.Retries = false, 1 }, anyCause, ""},
		"a create that was not carried out":      {overloaded, over(policy.ReasonExhausted), func(s *policy.Setback) { s.Create, s.Status = true, 503 }, anyCause, policy.FailoverOverloaded},
		"a create without money":                 {unpaid, over(policy.ReasonFinal), func(s *policy.Setback) { s.Create, s.Status = true, 402 }, anyCause, policy.FailoverQuota},
		"a create whose stream began without it": {unpaid, over(policy.ReasonFinal), func(s *policy.Setback) { s.Create, s.Status = true, 200 }, anyCause, ""},
		"a create that has less time than it took": {
			overloaded, over(policy.ReasonDeadline),
			func(s *policy.Setback) {
				s.Create, s.Status, s.Try.Took, s.Try.Deadline = true, 503, 5*time.Second, start.Add(4*time.Second)
			}, anyCause, "",
		},
		"an ambiguous create": {
			classify.Verdict{Outcome: classify.OutcomeBroke, Scope: classify.Upstream, Ambiguous: true},
			over(policy.ReasonAmbiguous),
			func(s *policy.Setback) { s.Create = true }, anyCause, "",
		},
		"an ambiguous create that the operator repeats": {
			classify.Verdict{Outcome: classify.OutcomeFailed, Scope: classify.Upstream, Ambiguous: true, Status: 500},
			again,
			func(s *policy.Setback) { s.Create, s.Status, s.Try.Retries = true, 500, 1 }, anyCause, "",
		},
		"a create that the upstream forbids to repeat": {
			classify.Verdict{Outcome: classify.OutcomeFailed, Scope: classify.Upstream, Status: 500},
			over(policy.ReasonFinal),
			func(s *policy.Setback) { s.Create, s.Status = true, 500 }, anyCause, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := policy.Setback{Try: policy.Try{Verdict: tt.verdict, Now: start, Replayable: true}, Decision: tt.decision}
			if tt.edit != nil {
				tt.edit(&s)
			}
			if got := tt.on.After(s); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHoldsTellsOfATripWithoutMakingAnybodyTheProbe(t *testing.T) {
	trips := policy.NewTrips[string, int](time.Minute, 10)
	equal(t, "an unknown key", trips.Holds(start, "k"), false)
	trips.Set(start, "k", 1)
	equal(t, "a tripped key", trips.Holds(start.Add(59*time.Second), "k"), true)
	equal(t, "after the cooldown", trips.Holds(start.Add(time.Minute), "k"), false)
	_, state := trips.Check(start.Add(time.Minute), "k")
	equal(t, "the one that asks then", state, policy.Probe)
	equal(t, "while it probes", trips.Holds(start.Add(time.Minute), "k"), true)
}
