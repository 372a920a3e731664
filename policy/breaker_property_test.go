package policy_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// step is one thing that happens to a breaker: time passes, then an attempt is
// begun, an earlier one reported, or a stream broken.
type step struct {
	Pause  time.Duration
	Kind   string
	Which  int
	Action classify.BreakerAction
}

// TestBreaker_IsNeverBlockedForEver drives breakers through any order of attempts,
// reports, lost reports and broken streams. Whatever happened, nobody waits at it
// for longer than an open time, and probes keep their distance.
func TestBreaker_IsNeverBlockedForEver(t *testing.T) {
	t.Parallel()
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			Pause:  time.Duration(rapid.IntRange(0, 1500).Draw(t, "pause")) * time.Millisecond,
			Kind:   rapid.SampledFrom([]string{"begin", "begin", "report", "report", "fail"}).Draw(t, "kind"),
			Which:  rapid.IntRange(0, 1000).Draw(t, "which"),
			Action: classify.BreakerAction(rapid.IntRange(0, 2).Draw(t, "action")),
		}
	}), 0, 60)
	rapid.Check(t, func(rt *rapid.T) {
		drawn := steps.Draw(rt, "steps")
		var err error // rapid must not be called from inside a bubble
		synctest.Test(t, func(*testing.T) { err = drive(drawn) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func drive(steps []step) error {
	c := policy.BreakerConfig{Ratio: 0.5, Min: 5, Window: 10 * time.Second, Open: time.Second, Consecutive: 3}
	b := policy.NewBreaker(c, false)
	var (
		under  []func(classify.BreakerAction)
		probe  = -1 // index of the probe that was not reported yet
		probed time.Time
	)
	for i, s := range steps {
		time.Sleep(s.Pause)
		before, patience := b.State(), b.Patience()
		switch s.Kind {
		case "begin":
			report, err := b.Allow()
			switch {
			case err == nil && before == policy.Open:
				return fmt.Errorf("step %d: an attempt passes an open breaker", i)
			case err != nil && before == policy.Closed:
				return fmt.Errorf("step %d: an attempt does not pass a closed breaker", i)
			case err == nil && before == policy.HalfOpen && probe >= 0 && time.Since(probed) < patience:
				return fmt.Errorf("step %d: a second probe %v after the first", i, time.Since(probed))
			case err == nil && before == policy.HalfOpen:
				probe, probed = len(under), time.Now()
			}
			if err == nil {
				under = append(under, report)
			}
		case "report":
			if len(under) == 0 {
				break
			}
			which := s.Which % len(under)
			under[which](s.Action)
			if which == probe {
				probe = -1
			}
		case "fail":
			b.Fail()
		}
		state := b.State()
		if state != policy.HalfOpen {
			probe = -1
		}
		if wait := time.Until(b.ProbeAt()); state != policy.Closed && wait > c.Open+1 {
			return fmt.Errorf("step %d: the next probe is %v away", i, wait)
		}
	}
	if b.State() != policy.Closed {
		time.Sleep(time.Until(b.ProbeAt()))
	}
	if _, err := b.Allow(); err != nil {
		return fmt.Errorf("at its probe time, %v: %w", b.State(), err)
	}
	return nil
}
