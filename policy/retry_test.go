package policy_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// retry is the default configuration.
var retry = policy.Retry{
	Max: 4, Base: 500 * time.Millisecond, Cap: 8 * time.Second, AfterMax: time.Minute,
	Budget: 0.2, Creates: policy.CreatesUnambiguous, ClientRetries: policy.ClientRetriesSuppress,
}

// try is an attempt after which another one with backoff is right: now, in the
// middle of its range, with ten minutes left.
func try(change func(*policy.Try)) policy.Try {
	t := policy.Try{
		Verdict: classify.Verdict{Repeat: classify.Backoff}, Now: start,
		Deadline: start.Add(10 * time.Minute), Replayable: true, Rand: 0.5,
	}
	change(&t)
	return t
}

func TestDecide(t *testing.T) {
	t.Parallel()
	always := retry
	always.Creates = policy.CreatesAlways
	tests := map[string]struct {
		retry  policy.Retry
		change func(*policy.Try)
		want   policy.Decision
	}{
		"a success is final": {
			retry, func(t *policy.Try) { t.Verdict = classify.Verdict{} },
			policy.Decision{Reason: policy.ReasonFinal},
		},
		"final goes before all else that forbids": {
			retry, func(t *policy.Try) {
				t.Verdict, t.Replayable, t.Retries, t.Deadline = classify.Verdict{Wait: time.Hour}, false, 9, start
			},
			policy.Decision{Reason: policy.ReasonFinal},
		},
		"a way to repeat that nobody knows is none": {
			retry, func(t *policy.Try) { t.Verdict.Repeat = 99 },
			policy.Decision{Reason: policy.ReasonFinal},
		},
		"an ambiguous create is not repeated": {
			retry, func(t *policy.Try) { t.Verdict = classify.Verdict{Ambiguous: true} },
			policy.Decision{Reason: policy.ReasonAmbiguous},
		},
		"not even if the verdict contradicts itself": {
			retry, func(t *policy.Try) { t.Verdict.Ambiguous = true },
			policy.Decision{Reason: policy.ReasonAmbiguous},
		},
		"nor in a mode that nobody knows": {
			policy.Retry{Max: 4, Creates: "sometimes"},
			func(t *policy.Try) { t.Verdict.Ambiguous = true },
			policy.Decision{Reason: policy.ReasonAmbiguous},
		},
		"an ambiguous create where the upstream recognises repeats": {
			always, func(t *policy.Try) { t.Verdict = classify.Verdict{Ambiguous: true} },
			policy.Decision{Action: policy.Again, Delay: 562500 * time.Microsecond, Reason: policy.ReasonRetry},
		},
		"which has its limits like any other": {
			always, func(t *policy.Try) { t.Verdict, t.Retries = classify.Verdict{Ambiguous: true}, 4 },
			policy.Decision{Reason: policy.ReasonExhausted},
		},
		"a body that is gone": {
			retry, func(t *policy.Try) { t.Replayable, t.Retries = false, 4 },
			policy.Decision{Reason: policy.ReasonNotReplayable},
		},
		"a failure worth one repeat": {
			retry, func(t *policy.Try) { t.Verdict.Repeat = classify.Once },
			policy.Decision{Action: policy.Again, Delay: 562500 * time.Microsecond, Reason: policy.ReasonRetry},
		},
		"a failure that had its one repeat": {
			retry, func(t *policy.Try) { t.Verdict.Repeat, t.Once, t.Retries = classify.Once, true, 4 },
			policy.Decision{Reason: policy.ReasonOnce},
		},
		"a gateway that times out at once may be away for a moment": {
			retry, func(t *policy.Try) {
				t.Verdict = classify.Verdict{Outcome: classify.OutcomeTimeout, Status: 504, Repeat: classify.Once}
				t.Once, t.Retries, t.Took = true, 1, 9*time.Second
			},
			policy.Decision{Action: policy.Again, Delay: 1125 * time.Millisecond, Reason: policy.ReasonRetry},
		},
		"one that times out late would again": {
			retry, func(t *policy.Try) {
				t.Verdict = classify.Verdict{Outcome: classify.OutcomeTimeout, Status: 504, Repeat: classify.Once}
				t.Once, t.Retries, t.Took = true, 1, 10*time.Second
			},
			policy.Decision{Reason: policy.ReasonOnce},
		},
		"another failure after the one repeat": {
			retry, func(t *policy.Try) { t.Once, t.Retries = true, 1 },
			policy.Decision{Action: policy.Again, Delay: 1125 * time.Millisecond, Reason: policy.ReasonRetry},
		},
		"the last retry": {
			retry, func(t *policy.Try) { t.Retries = 3 },
			policy.Decision{Action: policy.Again, Delay: 4500 * time.Millisecond, Reason: policy.ReasonRetry},
		},
		"no retry is left": {
			retry, func(t *policy.Try) { t.Retries, t.Verdict.Wait = 4, time.Hour },
			policy.Decision{Reason: policy.ReasonExhausted},
		},
		"backoff stops growing at its cap": {
			policy.Retry{Max: 100, Base: 500 * time.Millisecond, Cap: 8 * time.Second},
			func(t *policy.Try) { t.Retries = 99 },
			policy.Decision{Action: policy.Again, Delay: 9 * time.Second, Reason: policy.ReasonRetry},
		},
		"where others succeed it stops at a second": {
			policy.Retry{Max: 100, Base: 500 * time.Millisecond, Cap: 8 * time.Second},
			func(t *policy.Try) { t.Retries, t.Ill = 99, true },
			policy.Decision{Action: policy.Again, Delay: 1125 * time.Millisecond, Reason: policy.ReasonRetry},
		},
		"where the next attempt was to be the last, nor is there another": {
			retry, func(t *policy.Try) { t.Last = true },
			policy.Decision{Reason: policy.ReasonExhausted},
		},
		"nor does it overflow without one": {
			policy.Retry{Max: 100, Base: time.Second, Cap: math.MaxInt64},
			func(t *policy.Try) { t.Retries, t.Deadline = 99, start.Add(1000*time.Hour) },
			policy.Decision{Action: policy.Again, Delay: 900 * time.Hour, Reason: policy.ReasonRetry},
		},
		"no backoff at all": {
			policy.Retry{Max: 1},
			func(*policy.Try) {},
			policy.Decision{Action: policy.Again, Reason: policy.ReasonRetry},
		},
		"a hint is a minimum, and jitter adds to it": {
			retry, func(t *policy.Try) { t.Verdict.Wait = 2 * time.Second },
			policy.Decision{Action: policy.Again, Delay: 2200 * time.Millisecond, Reason: policy.ReasonRetry},
		},
		"at most a second of jitter": {
			retry, func(t *policy.Try) { t.Verdict.Wait = 40 * time.Second },
			policy.Decision{Action: policy.Again, Delay: 40500 * time.Millisecond, Reason: policy.ReasonRetry},
		},
		"the longest hint that is honoured": {
			retry, func(t *policy.Try) { t.Verdict.Wait, t.Rand = time.Minute, 0 },
			policy.Decision{Action: policy.Again, Delay: time.Minute, Reason: policy.ReasonRetry},
		},
		"a longer one ends it": {
			retry, func(t *policy.Try) { t.Verdict.Wait = time.Minute + 1 },
			policy.Decision{Reason: policy.ReasonTooLong},
		},
		"and is not believed where it is false": {
			retry, func(t *policy.Try) { t.Verdict.Wait, t.Verdict.HintFalse = time.Minute, true },
			policy.Decision{Action: policy.Again, Delay: 562500 * time.Microsecond, Reason: policy.ReasonRetry},
		},
		"a longer one ends it even so": {
			retry, func(t *policy.Try) { t.Verdict.Wait, t.Verdict.HintFalse = 24*time.Hour, true },
			policy.Decision{Reason: policy.ReasonTooLong},
		},
		"a model that is loading is waited for": {
			retry, func(t *policy.Try) {
				t.Verdict.Repeat, t.Verdict.Wait, t.Retries = classify.Await, time.Hour, 4
			},
			policy.Decision{Action: policy.Wait, Reason: policy.ReasonLoading},
		},
		"but not past the deadline": {
			retry, func(t *policy.Try) { t.Verdict.Repeat, t.Deadline = classify.Await, t.Now },
			policy.Decision{Reason: policy.ReasonDeadline},
		},
		"the same call, being made already, is waited for and no retry": {
			retry, func(t *policy.Try) {
				t.Verdict.Repeat, t.Verdict.Wait, t.Retries, t.Rejoins = classify.Rejoin, 2*time.Second, 99, 99
			},
			policy.Decision{Action: policy.Wait, Delay: 2200 * time.Millisecond, Reason: policy.ReasonRunning},
		},
		"for a second, where nothing says how long": {
			policy.Retry{},
			func(t *policy.Try) { t.Verdict.Repeat = classify.Rejoin },
			policy.Decision{Action: policy.Wait, Delay: 1100 * time.Millisecond, Reason: policy.ReasonRunning},
		},
		"and then for longer": {
			retry, func(t *policy.Try) { t.Verdict.Repeat, t.Rejoins = classify.Rejoin, 3 },
			policy.Decision{Action: policy.Wait, Delay: 4400 * time.Millisecond, Reason: policy.ReasonRunning},
		},
		"but not past the deadline either": {
			retry, func(t *policy.Try) {
				t.Verdict.Repeat, t.Verdict.Wait, t.Deadline = classify.Rejoin, 2*time.Second, t.Now.Add(2*time.Second)
			},
			policy.Decision{Reason: policy.ReasonDeadline},
		},
		"nor for longer than is honoured": {
			retry, func(t *policy.Try) { t.Verdict.Repeat, t.Verdict.Wait = classify.Rejoin, time.Hour },
			policy.Decision{Reason: policy.ReasonTooLong},
		},
		"an instant is a hint too": {
			retry, func(t *policy.Try) { t.Verdict.Wait, t.Verdict.Until = time.Second, start.Add(5*time.Second) },
			policy.Decision{Action: policy.Again, Delay: 5500 * time.Millisecond, Reason: policy.ReasonRetry},
		},
		"an instant too far": {
			retry, func(t *policy.Try) { t.Verdict.Until = start.AddDate(0, 1, 0) },
			policy.Decision{Reason: policy.ReasonTooLong},
		},
		"an instant that has passed": {
			retry, func(t *policy.Try) { t.Verdict.Until = start.Add(-time.Second) },
			policy.Decision{Action: policy.Again, Delay: 562500 * time.Microsecond, Reason: policy.ReasonRetry},
		},
		"a negative hint is none": {
			retry, func(t *policy.Try) { t.Verdict.Wait = -time.Hour },
			policy.Decision{Action: policy.Again, Delay: 562500 * time.Microsecond, Reason: policy.ReasonRetry},
		},
		"a hint that ends at the deadline": {
			retry, func(t *policy.Try) { t.Verdict.Wait, t.Deadline = 5*time.Second, start.Add(5*time.Second) },
			policy.Decision{Reason: policy.ReasonDeadline},
		},
		"a hint that ends just before it": {
			retry, func(t *policy.Try) { t.Verdict.Wait, t.Deadline = 5*time.Second-1, start.Add(5*time.Second) },
			policy.Decision{Action: policy.Again, Delay: 5*time.Second - 1, Reason: policy.ReasonRetry},
		},
		"jitter does not go past the deadline": {
			retry, func(t *policy.Try) {
				t.Retries, t.Deadline, t.Rand = 3, start.Add(time.Second), math.Nextafter(1, 0)
			},
			policy.Decision{Action: policy.Again, Delay: time.Second - 1, Reason: policy.ReasonRetry},
		},
		"the deadline is now": {
			retry, func(t *policy.Try) { t.Deadline = start },
			policy.Decision{Reason: policy.ReasonDeadline},
		},
		"the deadline has passed": {
			retry, func(t *policy.Try) { t.Deadline = start.Add(-time.Hour) },
			policy.Decision{Reason: policy.ReasonDeadline},
		},
		"no deadline": {
			retry, func(t *policy.Try) { t.Deadline, t.Verdict.Wait = time.Time{}, time.Minute },
			policy.Decision{Action: policy.Again, Delay: time.Minute + 500*time.Millisecond, Reason: policy.ReasonRetry},
		},
		"a rate limit goes back to the line": {
			retry, func(t *policy.Try) {
				t.Verdict.Repeat, t.Verdict.Limiter, t.Verdict.Wait = classify.Pause, classify.LimiterPause, time.Minute
			},
			policy.Decision{Action: policy.Line, Reason: policy.ReasonRateLimit},
		},
		"however many retries there were": {
			retry, func(t *policy.Try) {
				t.Verdict.Repeat, t.Verdict.Limiter, t.Retries = classify.Pause, classify.LimiterSlowDown, 4
			},
			policy.Decision{Action: policy.Line, Reason: policy.ReasonRateLimit},
		},
		"unless its wait cannot end in time": {
			retry, func(t *policy.Try) {
				t.Verdict.Repeat, t.Verdict.Limiter = classify.Pause, classify.LimiterPause
				t.Verdict.Wait, t.Deadline = 20*time.Second, start.Add(20*time.Second)
			},
			policy.Decision{Reason: policy.ReasonDeadline},
		},
		"or is longer than is honoured": {
			retry, func(t *policy.Try) {
				t.Verdict.Repeat, t.Verdict.Limiter, t.Verdict.Wait = classify.Pause, classify.LimiterPause, 8*time.Hour
			},
			policy.Decision{Reason: policy.ReasonTooLong},
		},
		"a pause that no limiter paces is a retry": {
			retry, func(t *policy.Try) { t.Verdict.Repeat, t.Retries = classify.Pause, 1 },
			policy.Decision{Action: policy.Again, Delay: 1125 * time.Millisecond, Reason: policy.ReasonRetry},
		},
		"and counts as one": {
			retry, func(t *policy.Try) { t.Verdict.Repeat, t.Retries = classify.Pause, 4 },
			policy.Decision{Reason: policy.ReasonExhausted},
		},
		"a random number that is none": {
			retry, func(t *policy.Try) { t.Rand = math.NaN() },
			policy.Decision{Action: policy.Again, Delay: 562500 * time.Microsecond, Reason: policy.ReasonRetry},
		},
		"the zero value of everything": {
			policy.Retry{},
			func(t *policy.Try) { *t = policy.Try{} },
			policy.Decision{Reason: policy.ReasonFinal},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, "decision", tt.retry.Decide(try(tt.change)), tt.want)
		})
	}
}

// TestDecide_KeepsItsPromises tries settings and attempts of every kind, sensible or not.
func TestDecide_KeepsItsPromises(t *testing.T) {
	t.Parallel()
	duration := rapid.Custom(func(t *rapid.T) time.Duration {
		return rapid.SampledFrom([]time.Duration{1, time.Millisecond, time.Second, time.Minute, time.Hour}).Draw(t, "unit") *
			time.Duration(rapid.IntRange(-1, 100).Draw(t, "n"))
	})
	rapid.Check(t, func(t *rapid.T) {
		r := policy.Retry{
			Max: rapid.IntRange(0, 100).Draw(t, "max"), Base: duration.Draw(t, "base"), Cap: duration.Draw(t, "cap"),
			AfterMax: duration.Draw(t, "after"),
			Creates:  rapid.SampledFrom([]policy.CreatesMode{"", policy.CreatesUnambiguous, policy.CreatesAlways}).Draw(t, "creates"),
		}
		a := policy.Try{
			Retries: rapid.IntRange(-1, 200).Draw(t, "retries"), Once: rapid.Bool().Draw(t, "once"), Now: start,
			Replayable: rapid.Bool().Draw(t, "replayable"), Rand: rapid.Float64().Draw(t, "rand"),
			Verdict: classify.Verdict{
				Repeat: classify.Repeat(rapid.IntRange(0, 6).Draw(t, "repeat")), Ambiguous: rapid.Bool().Draw(t, "ambiguous"),
				Wait: duration.Draw(t, "wait"), HintFalse: rapid.Bool().Draw(t, "false hint"),
				Limiter: classify.LimiterAction(rapid.IntRange(0, 2).Draw(t, "limiter")),
			},
		}
		if rapid.Bool().Draw(t, "has deadline") {
			a.Deadline = start.Add(duration.Draw(t, "deadline"))
		}
		if rapid.Bool().Draw(t, "has until") {
			a.Verdict.Until = start.Add(duration.Draw(t, "until"))
		}
		d := r.Decide(a)

		if !slices.Contains(policy.Reasons(), d.Reason) || (d.Action == policy.Again) != (d.Reason == policy.ReasonRetry) ||
			(d.Action == policy.Line) != (d.Reason == policy.ReasonRateLimit) || (d.Action == policy.Wait) != (d.Reason == policy.ReasonLoading || d.Reason == policy.ReasonRunning) {
			t.Fatalf("%+v: the reason does not fit", d)
		}
		if d.Action != policy.Again && d.Reason != policy.ReasonRunning && d.Delay != 0 || d.Delay < 0 {
			t.Fatalf("%+v: a delay without reason", d)
		}
		if d.Action == policy.Return {
			return
		}
		hint := time.Duration(0)
		if !a.Verdict.HintFalse {
			hint = max(hint, a.Verdict.Wait)
		}
		if !a.Verdict.Until.IsZero() {
			hint = max(hint, a.Verdict.Until.Sub(start))
		}
		switch {
		case !a.Replayable:
			t.Fatal("repeats what cannot be sent again")
		case a.Verdict.Ambiguous && r.Creates != policy.CreatesAlways:
			t.Fatal("repeats an ambiguous create")
		case a.Verdict.Repeat == classify.Never && !a.Verdict.Ambiguous:
			t.Fatal("repeats what cannot succeed")
		case a.Verdict.Repeat == classify.Once && a.Once:
			t.Fatal("repeats twice what is worth one repeat")
		case d.Reason == policy.ReasonLoading:
			return
		case !a.Deadline.IsZero() && !start.Add(max(d.Delay, hint)).Before(a.Deadline):
			t.Fatal("waits past the deadline")
		case hint > r.AfterMax || a.Verdict.Wait > r.AfterMax:
			t.Fatal("waits longer than is honoured")
		case d.Action == policy.Line, d.Reason == policy.ReasonRunning && d.Delay >= max(hint, 100*time.Millisecond):
			return
		case a.Retries >= r.Max:
			t.Fatal("retries too often")
		case d.Delay < hint:
			t.Fatal("waits for less than the hint")
		case hint > 0 && d.Delay > hint+min(hint/5, time.Second):
			t.Fatal("waits for more than the hint and its jitter")
		case hint == 0 && d.Delay > max(r.Cap, 0)+max(r.Cap, 0)/4:
			t.Fatal("waits for more than the cap and its jitter")
		}
	})
}

// TestDecide_SpreadsItsDelays holds the shape of the jitter: the step, and up to a quarter more.
func TestDecide_SpreadsItsDelays(t *testing.T) {
	t.Parallel()
	for n, ceiling := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
		for _, share := range []float64{0, 0.25, 0.75} {
			d := retry.Decide(try(func(t *policy.Try) { t.Retries, t.Rand = n, share }))
			equal(t, "delay", d.Delay, time.Duration((1+share/4)*float64(ceiling)))
		}
	}
}

func TestActionsPrintInLowerCase(t *testing.T) {
	t.Parallel()
	for a, want := range map[policy.Action]string{
		policy.Return: "return", policy.Again: "again", policy.Line: "line", policy.Wait: "wait", 9: "unknown",
	} {
		equal(t, "action", a.String(), want)
	}
}

func TestReasonsAreDistinct(t *testing.T) {
	t.Parallel()
	sorted := slices.Sorted(slices.Values(policy.Reasons()))
	equal(t, "reasons without repeats", slices.Compact(slices.Clone(sorted)), sorted)
}
