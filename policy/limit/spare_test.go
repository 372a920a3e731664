package limit

import (
	"testing"
	"time"
)

// TestSpareEndsWithARefusal has one limiter for two, and answers that tell that all is left.
func TestSpareEndsWithARefusal(t *testing.T) {
	const second = time.Second
	proven := Refusal{Hint: 50 * time.Millisecond, Limit: 1200, Used: 1200, Requested: 1, Window: time.Minute, Dimension: "requests"}
	full := limits("Requests", "1200", "1199", "50ms")
	// rate is that at which l goes once an answer has told, about then, that all is left.
	rate := func(l *Limiter, then time.Duration) float64 {
		w, now := &Waiter{}, then
		l.Enter(at(now), w)
		for {
			next := l.Release(at(now), func(*Waiter) {})
			if w.state == stateAdmitted {
				break
			}
			now = next.Sub(origin)
		}
		l.Sent(at(now), w)
		l.Answered(at(now), w, ParseHeaders(full, at(now)))
		l.tune(at(now), now, slotRequests)
		return l.Snapshot(at(now)).Buckets[0].Rate
	}
	for name, tt := range map[string]struct {
		refused time.Duration // when one is that was admitted just before
		then    time.Duration // when an answer tells again that all is left
		spared  bool
	}{
		"refused meanwhile":               {1100 * time.Millisecond, 5 * second, false},
		"refused meanwhile, long ago":     {1100 * time.Millisecond, 2*second + tightTime, true},
		"refused when it was long over":   {4 * second, 6 * second, true},
		"refused before there was more":   {500 * time.Millisecond, 5 * second, true},
		"never refused, and more is told": {0, 5 * second, true},
	} {
		l := New(learning, origin)
		l.answer(t, 0, &Waiter{}, limits("Requests", "1200", "1190", "500ms"))
		l.Absorb(at(100*time.Millisecond), New(learning, origin))
		refuse := func() {
			if tt.refused > 0 {
				l.Refused(at(tt.refused), pass(t, l, tt.refused-10*time.Millisecond, &Waiter{}), proven)
			}
		}
		if tt.refused < second {
			refuse()
		}
		if got := rate(l, second); got != 25 {
			t.Fatalf("%s: %v per second, want a quarter more than the limit's 20", name, got)
		}
		if tt.refused >= second {
			refuse()
		}
		if got := rate(l, tt.then); (got > 20) != tt.spared {
			t.Errorf("%s: %v per second of 20, more than it: want %v", name, got, tt.spared)
		}
	}
}
