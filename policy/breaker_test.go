package policy_test

import (
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// defaults are those of the tags, without what Breaker does not look at.
func defaults() policy.BreakerConfig {
	return policy.BreakerConfig{Ratio: 0.5, Min: 20, Window: 10 * time.Second, Open: time.Second, Consecutive: 10}
}

// TestBreaker_AloneOpensOnlyWhenNothingSucceeds has one success among fifty.
func TestBreaker_AloneOpensOnlyWhenNothingSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := policy.NewBreaker(defaults(), true)
		fail := func(n int) {
			for range n {
				if done, err := b.Allow(); err == nil {
					done(classify.Fault)
				}
			}
		}
		for range 20 {
			fail(49)
			done, err := b.Allow()
			if err != nil {
				t.Fatal("it opened while some succeed")
			}
			done(classify.Success)
		}
		fail(49)
		equal(t, "state after 49 failures in a row", b.State(), policy.Closed)
		fail(1)
		equal(t, "state after 50", b.State(), policy.Open)
		since := b.OpenSince()
		time.Sleep(1100 * time.Millisecond) // the bubble's clock
		fail(1)
		equal(t, "state after a failed probe", b.State(), policy.Open)
		equal(t, "open since", b.OpenSince(), since)
	})
}

func TestBreaker_OpensOnTheShareOfFailuresOnceThereAreEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := policy.NewBreaker(defaults(), false)
		for range 9 {
			attempts(t, b, 1, classify.Success)
			attempts(t, b, 1, classify.Fault)
		}
		attempts(t, b, 1, classify.Success)
		state(t, b, policy.Closed) // 9 of 19: under half, and one too few
		attempts(t, b, 1, classify.Fault)
		state(t, b, policy.Open) // 10 of 20
		refuse(t, b)
		equal(t, "snapshot", look(b), view{
			State: policy.Open, Opens: 1, ProbeIn: time.Second + 1,
		})
	})
}

func TestBreaker_TheShareIsExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := defaults()
		c.Ratio, c.Consecutive = 0.1, 0
		b := policy.NewBreaker(c, false)
		attempts(t, b, 27, classify.Success)
		attempts(t, b, 2, classify.Fault)
		state(t, b, policy.Closed)
		attempts(t, b, 1, classify.Fault) // 3 of 30, where 0.1·30 is over 3 in floating point
		state(t, b, policy.Open)
	})
}

func TestBreaker_AttemptsUnderWayAreNotYetCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := policy.NewBreaker(defaults(), false)
		for range 100 {
			allow(t, b)
		}
		for range 10 {
			attempts(t, b, 1, classify.Success)
			attempts(t, b, 1, classify.Fault)
		}
		state(t, b, policy.Open)
	})
}

func TestBreaker_OpensOnFailuresInARowHoweverSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := policy.NewBreaker(defaults(), false)
		attempts(t, b, 9, classify.Fault)
		attempts(t, b, 1, classify.Success) // not in a row any more
		for range 9 {
			time.Sleep(time.Minute)
			attempts(t, b, 1, classify.Fault)
			attempts(t, b, 3, classify.Ignore) // proves neither
		}
		state(t, b, policy.Closed)
		time.Sleep(time.Minute)
		attempts(t, b, 1, classify.Fault)
		state(t, b, policy.Open)
	})
}

func TestBreaker_ForgetsWhatIsOlderThanTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := defaults()
		c.Consecutive = 0
		b := policy.NewBreaker(c, false)
		attempts(t, b, 19, classify.Fault)
		equal(t, "before", look(b), view{Failures: 19, InARow: 19})
		time.Sleep(10 * time.Second)
		// Nobody has called since: the window must move by being looked at.
		equal(t, "after", look(b), view{InARow: 19})
		attempts(t, b, 19, classify.Fault)
		state(t, b, policy.Closed)
		attempts(t, b, 1, classify.Fault)
		state(t, b, policy.Open)
	})
}

func TestBreaker_CountsAttemptsThatOutlastItsWindow(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{900 * time.Millisecond, 1100 * time.Millisecond, 9 * time.Second, 90 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := policy.NewBreaker(defaults(), false)
			var reports []func(classify.BreakerAction)
			for range 20 {
				reports = append(reports, allow(t, b))
			}
			time.Sleep(length)
			for i, report := range reports {
				report(classify.BreakerAction(i % 2)) // Success, Fault, Success, …
			}
			if got := b.Snapshot(); got.Opens != 1 {
				t.Errorf("after 20 attempts of %v, half of them failed: %+v, want it opened once", length, got)
			}
		})
	}
}

func TestBreaker_ProbesAfterExactlyItsOpenTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, defaults())
		time.Sleep(time.Until(b.ProbeAt()) - 1)
		refuse(t, b)
		state(t, b, policy.Open)
		time.Sleep(time.Nanosecond)
		equal(t, "waited", time.Since(start), time.Second+1)
		state(t, b, policy.HalfOpen) // without any call in between
		if probe := b.ProbeAt(); probe.After(time.Now()) {
			t.Errorf("probe at %v, want it to be possible now", probe)
		}

		report := allow(t, b)
		refuse(t, b) // one at a time
		time.Sleep(300 * time.Millisecond)
		report(classify.Success)
		equal(t, "closed again", look(b), view{Opens: 1})
		attempts(t, b, 50, classify.Success)
	})
}

func TestBreaker_AFailedProbeOpensItForAnotherTerm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, defaults())
		time.Sleep(time.Until(b.ProbeAt()))
		report := allow(t, b)
		time.Sleep(200 * time.Millisecond)
		report(classify.Fault)
		equal(t, "reopened", look(b), view{
			State: policy.Open, Opens: 2, ProbeIn: time.Second + 1,
		})
		time.Sleep(time.Second)
		refuse(t, b)
		time.Sleep(time.Nanosecond)
		allow(t, b)(classify.Success)
		state(t, b, policy.Closed)
	})
}

func TestBreaker_AProbeThatProvesNothingGivesItsPlaceAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, defaults())
		time.Sleep(time.Until(b.ProbeAt()))
		for range 5 {
			report := allow(t, b)
			refuse(t, b)
			report(classify.Ignore)
			state(t, b, policy.HalfOpen)
		}
		allow(t, b)(classify.Success)
		state(t, b, policy.Closed)
	})
}

func TestBreaker_ALostProbeGivesItsPlaceAfterHalfTheTimeOfTheOneBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, defaults())
		time.Sleep(time.Until(b.ProbeAt()))
		// Each permit is dropped and never reported.
		for _, microseconds := range []int{1_000_000, 500_000, 250_000, 125_000, 62_500, 31_250, 31_250} {
			patience := time.Duration(microseconds) * time.Microsecond
			allow(t, b)
			equal(t, "next probe in", time.Until(b.ProbeAt()), patience)
			time.Sleep(patience - 1)
			refuse(t, b)
			time.Sleep(time.Nanosecond)
		}
		allow(t, b)(classify.Success)
		state(t, b, policy.Closed)
	})
}

func TestBreaker_ASlowProbeThatSucceedsClosesItAfterAll(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]func(func(classify.BreakerAction)){
		"while the next is under way": func(func(classify.BreakerAction)) {},
		"after the next left":         func(report func(classify.BreakerAction)) { report(classify.Ignore) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := opened(t, defaults())
				time.Sleep(time.Until(b.ProbeAt()))
				slow := allow(t, b)
				time.Sleep(time.Second)
				next := allow(t, b)
				second(next)
				time.Sleep(500 * time.Millisecond)
				slow(classify.Success)
				state(t, b, policy.Closed)
				next(classify.Fault) // of a time before it closed
				equal(t, "after the next one's failure", look(b), view{Opens: 1})

				attempts(t, b, 10, classify.Fault)
				equal(t, "opened again", look(b), view{State: policy.Open, Opens: 2, ProbeIn: time.Second + 1})
			})
		})
	}
}

func TestBreaker_ASlowProbeThatFailsOpensItAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, defaults())
		time.Sleep(time.Until(b.ProbeAt()))
		slow := allow(t, b)
		time.Sleep(time.Second)
		next := allow(t, b)
		slow(classify.Fault)
		state(t, b, policy.Open)
		next(classify.Success) // of a time before it opened
		state(t, b, policy.Open)
	})
}

func TestBreaker_AReportCountsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := policy.NewBreaker(defaults(), false)
		for range 5 {
			report := allow(t, b)
			for range 100 {
				report(classify.Fault)
			}
			report(classify.Success)
		}
		equal(t, "snapshot", look(b), view{Failures: 5, InARow: 5})
	})
}

func TestBreaker_AttemptsFromBeforeItOpenedDoNotDecide(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]classify.BreakerAction{"success": classify.Success, "fault": classify.Fault} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := policy.NewBreaker(defaults(), false)
				whileOpen, whileHalfOpen, afterwards := allow(t, b), allow(t, b), allow(t, b)
				attempts(t, b, 10, classify.Fault)
				whileOpen(outcome)
				state(t, b, policy.Open)

				time.Sleep(time.Until(b.ProbeAt()))
				whileHalfOpen(outcome)
				state(t, b, policy.HalfOpen)
				probe := allow(t, b)
				probe(classify.Success)

				afterwards(outcome)
				equal(t, "closed again", look(b), view{Opens: 1})
			})
		})
	}
}

func TestBreaker_AStreamThatBreaksIsOneMoreFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := policy.NewBreaker(defaults(), false)
		attempts(t, b, 10, classify.Success)
		time.Sleep(5 * time.Minute)
		for range 9 {
			b.Fail()
		}
		equal(t, "nine", look(b), view{Failures: 9, InARow: 9})
		b.Fail()
		state(t, b, policy.Open)

		b.Fail() // does not lengthen it
		time.Sleep(time.Second + 1)
		b.Fail() // nor takes the probe's place, nor decides for it
		state(t, b, policy.HalfOpen)
		report := allow(t, b)
		b.Fail()
		state(t, b, policy.HalfOpen)
		report(classify.Success)
		equal(t, "closed again", look(b), view{Opens: 1})
	})
}

func TestBreaker_ARuleOfZeroIsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]policy.BreakerConfig{
			"zero value":   {},
			"not a number": {Ratio: math.NaN(), Min: -1, Window: -1, Open: -1, Consecutive: -1},
		} {
			b := policy.NewBreaker(c, false)
			attempts(t, b, 1000, classify.Fault)
			if got := b.State(); got != policy.Closed {
				t.Errorf("%s: %v after 1000 failures, want closed", name, got)
			}
		}
		b := policy.NewBreaker(policy.BreakerConfig{Consecutive: 1}, false)
		attempts(t, b, 1, classify.Fault)
		time.Sleep(10*time.Millisecond + 1) // the least open time, not gobreaker's minute
		allow(t, b)
	})
}

func TestBreaker_ConcurrentAttemptsGetOneProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, defaults())
		time.Sleep(time.Until(b.ProbeAt()))
		var (
			wg     sync.WaitGroup
			mu     sync.Mutex
			leaves []func(classify.BreakerAction)
		)
		for range 100 {
			wg.Go(func() {
				report, err := b.Allow()
				if errors.Is(err, policy.ErrBreakerOpen) {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				leaves = append(leaves, report)
			})
		}
		wg.Wait()
		if len(leaves) != 1 {
			t.Fatalf("%d probes at once, want 1", len(leaves))
		}
		for range 100 {
			wg.Go(func() { leaves[0](classify.Success) })
		}
		wg.Wait()
		equal(t, "state", look(b), view{Opens: 1})
	})
}

func TestBreakerStatesPrintInLowerCase(t *testing.T) {
	t.Parallel()
	for s, want := range map[policy.BreakerState]string{
		policy.Closed: "closed", policy.HalfOpen: "half-open", policy.Open: "open", 9: "unknown",
	} {
		equal(t, "state", s.String(), want)
	}
	equal(t, "metric values", []policy.BreakerState{policy.Closed, policy.HalfOpen, policy.Open}, []policy.BreakerState{0, 1, 2})
}
