package limit

import (
	"testing"
	"time"
)

// steady sends n requests at a rate from d on, each answered at once, and returns
// when it ended and the last one.
func steady(t *testing.T, l *Limiter, d time.Duration, rate float64, n int) (time.Duration, *Waiter) {
	t.Helper()
	var w *Waiter
	for range n {
		w = pass(t, l, d, &Waiter{})
		l.Answered(at(d), w, Headers{})
		d += time.Duration(float64(time.Second) / rate)
	}
	return d, w
}

func TestSlowDownCutsOnceHoldsAndGrowsSlowly(t *testing.T) {
	l := New(learning, origin)
	// Half an hour at 10 per second.
	now, _ := steady(t, l, 0, 10, 18000)
	a, b := pass(t, l, now, &Waiter{}), pass(t, l, now, &Waiter{})
	l.Refused(at(now), a, Refusal{SlowDown: true})
	cut := now
	rate := func(d time.Duration) float64 {
		l.relax(at(d), d)
		return l.Snapshot(at(d)).Buckets[0].Rate
	}
	half := rate(now)
	if half < 4.9 || half > 5.1 {
		t.Fatalf("cut to %.2f per second, want half of 10", half)
	}
	// Others of the same moment, and later ones while it is held, cut no more.
	l.Refused(at(now+time.Millisecond), b, Refusal{SlowDown: true})
	l.Leave(at(now), a)
	l.Leave(at(now), b)
	now, w := steady(t, l, now+2*time.Minute, 4, 100)
	w = pass(t, l, now, w)
	l.Refused(at(now), w, Refusal{SlowDown: true})
	l.Leave(at(now), w)
	if got := rate(now); got != half {
		t.Errorf("%.2f per second after a second refusal in the congestion event, want %.2f", got, half)
	}
	for _, tt := range []struct {
		after time.Duration
		times float64
	}{{14 * time.Minute, 1}, {15 * time.Minute, 1}, {30 * time.Minute, 1.5}, {45 * time.Minute, 2.25}} {
		if got := rate(cut+tt.after) / half; got < tt.times*0.99 || got > tt.times*1.01 {
			t.Errorf("%v after the cut the rate is %.3f of it, want %.2f", tt.after, got, tt.times)
		}
	}
	// A new congestion event after the hold cuts again.
	now, _ = steady(t, l, cut+45*time.Minute, 4, 10) // after a pause not all at once
	now, w = steady(t, l, now, 10, 600)
	before := rate(now)
	l.Refused(at(now), pass(t, l, now, w), Refusal{SlowDown: true})
	if got := rate(now); got > 5.1 || got > before/2 {
		t.Errorf("%.2f per second after the second congestion event, want half of the 10 that were sent", got)
	}
}

func TestSlowDownGoesBackToTheRateBeforeASpike(t *testing.T) {
	l := New(learning, origin)
	// Half an hour at 2 per second, then ten seconds at 20.
	now, _ := steady(t, l, 0, 2, 3600)
	now, _ = steady(t, l, now, 20, 200)
	l.Refused(at(now), pass(t, l, now, &Waiter{}), Refusal{SlowDown: true, Hint: 2 * time.Second})
	got := l.Snapshot(at(now))
	if len(got.Buckets) != 1 || got.Buckets[0].Rate < 2 || got.Buckets[0].Rate > 2.5 {
		t.Errorf("got %+v, want about 2 per second", got.Buckets)
	}
	if want := at(now + 2*time.Second); !got.GateUntil.Equal(want) {
		t.Errorf("held until %v, want %v", got.GateUntil, want)
	}
}

func TestTheCeilingGoesWhenItIsOutOfReach(t *testing.T) {
	l := New(learning, origin)
	now, _ := steady(t, l, 0, 10, 9000)
	l.Refused(at(now), pass(t, l, now, &Waiter{}), Refusal{SlowDown: true})
	admits(l, now+time.Minute)
	// From a half it takes 1.5^n > 8, n = 5.2 quarters of an hour beyond the hold.
	pass(t, l, now+90*time.Minute, &Waiter{})
	if got := l.Snapshot(at(now + 92*time.Minute)).Buckets; len(got) != 1 {
		t.Errorf("got %+v, want the ceiling", got)
	}
	pass(t, l, now+95*time.Minute, &Waiter{})
	if got := l.Snapshot(at(now + 95*time.Minute)).Buckets; len(got) != 0 {
		t.Errorf("got %+v, want none", got)
	}
}

// TestSlowDownLeavesWhatWasSentBeforeTheSpike: a process that has run for half a minute
// has a rate before the spike too, and one that sent the same all the time has none.
func TestSlowDownLeavesWhatWasSentBeforeTheSpike(t *testing.T) {
	tests := map[string]struct {
		rate, spike float64 // for half a minute, then for some seconds
		seconds     float64
		idle        time.Duration
		low, high   float64
	}{
		"a spike of a young process": {10, 40, 5, 0, 9.5, 10.5},
		"after an hour without use":  {10, 40, 5, time.Hour, 9.5, 10.5},
		"no spike":                   {60, 60, 5, 0, 29, 31},
		"a spike of one second":      {10, 40, 1, 0, 9.5, 10.5},
		"no spike, slow":             {1, 3, 1, 0, 0.5, 0.7},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			l.ramp.Stop()
			now, _ := steady(t, l, tt.idle, tt.rate, int(30*tt.rate))
			now, _ = steady(t, l, now, tt.spike, int(tt.seconds*tt.spike))
			l.Refused(at(now), pass(t, l, now, &Waiter{}), Refusal{SlowDown: true})
			if got := l.Snapshot(at(now)).Buckets[0].Rate; got < tt.low || got > tt.high {
				t.Errorf("cut to %.2f per second, want %.1f to %.1f", got, tt.low, tt.high)
			}
		})
	}
}
