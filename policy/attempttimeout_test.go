package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
)

func TestAttemptTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 10 * time.Second
	always := policy.Retry{Max: 4, Creates: policy.CreatesAlways}
	usual := policy.Retry{Max: 4, Creates: policy.CreatesUnambiguous}
	tests := map[string]struct {
		retry policy.Retry
		ahead policy.Ahead
		want  time.Duration
	}{
		"the first of several":              {usual, policy.Ahead{Replayable: true, Left: time.Minute}, timeout},
		"without a deadline":                {usual, policy.Ahead{Replayable: true}, timeout},
		"the last but one":                  {usual, policy.Ahead{Replayable: true, Retries: 3}, timeout},
		"all retries were made":             {usual, policy.Ahead{Replayable: true, Retries: 4}, 0},
		"no retries at all":                 {policy.Retry{}, policy.Ahead{Replayable: true}, 0},
		"just time for another":             {usual, policy.Ahead{Replayable: true, Left: 2 * timeout}, timeout},
		"no time for another whole one":     {usual, policy.Ahead{Replayable: true, Left: 2*timeout - 1}, 0},
		"the deadline has passed":           {usual, policy.Ahead{Replayable: true, Left: -1}, 0},
		"it cannot be sent again":           {usual, policy.Ahead{}, 0},
		"a create":                          {usual, policy.Ahead{Replayable: true, Create: true}, 0},
		"a create that may be repeated":     {always, policy.Ahead{Replayable: true, Create: true}, timeout},
		"the last of such":                  {always, policy.Ahead{Replayable: true, Create: true, Retries: 4}, 0},
		"another upstream":                  {usual, policy.Ahead{Replayable: true, Retries: 4, Elsewhere: true}, timeout},
		"another upstream, and some time":   {usual, policy.Ahead{Replayable: true, Elsewhere: true, Left: timeout + 2*time.Second}, timeout},
		"another upstream, but no time":     {usual, policy.Ahead{Replayable: true, Elsewhere: true, Left: timeout + time.Second}, 0},
		"another upstream is no create's":   {always, policy.Ahead{Replayable: true, Create: true, Retries: 4, Elsewhere: true}, 0},
		"another upstream, but one sending": {usual, policy.Ahead{Elsewhere: true}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, "timeout", tt.retry.AttemptTimeout(timeout, tt.ahead), tt.want)
			equal(t, "timeout when it is off", tt.retry.AttemptTimeout(0, tt.ahead), 0)
		})
	}
}
