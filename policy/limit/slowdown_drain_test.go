package limit

import (
	"testing"
	"time"
)

// cutAtTen returns a limiter that sent ten per second for a quarter of an hour, rose to forty
// for ten seconds and was told to slow down then.
func cutAtTen(t *testing.T) (*Limiter, time.Duration) {
	t.Helper()
	l := New(learning, origin)
	l.ramp.Stop()
	now, _ := steady(t, l, 0, 10, 9000)
	now, _ = steady(t, l, now, 40, 400)
	w := pass(t, l, now, &Waiter{})
	l.Refused(at(now), w, Refusal{SlowDown: true})
	l.Leave(at(now), w)
	return l, now
}

// demand asks at a rate from d to end, with a queue of so many to begin with. refuse tells what
// becomes of each that is admitted. It returns when each was.
func demand(l *Limiter, d, end time.Duration, rate float64, queued int, refuse func(d time.Duration, w *Waiter) bool) []time.Duration {
	var admitted []time.Duration
	release := func(d time.Duration) {
		var sent []*Waiter
		l.Release(at(d), func(w *Waiter) { sent = append(sent, w) })
		for _, w := range sent {
			admitted = append(admitted, d)
			if refuse(d, w) {
				l.Refused(at(d), w, Refusal{SlowDown: true})
			} else {
				l.Answered(at(d), w, Headers{})
			}
		}
	}
	for range queued {
		l.Enter(at(d), &Waiter{})
	}
	next := d
	for ; d < end; d += 10 * time.Millisecond {
		for ; next <= d; next += time.Duration(float64(time.Second) / rate) {
			w := &Waiter{}
			if l.Enter(at(d), w).Reason == Admitted {
				admitted = append(admitted, d)
				l.Answered(at(d), w, Headers{})
			}
		}
		release(d)
	}
	return admitted
}

// within is how many per second were admitted in [from, to).
func within(admitted []time.Duration, from, to time.Duration) float64 {
	n := 0
	for _, d := range admitted {
		if d >= from && d < to {
			n++
		}
	}
	return float64(n) / (to - from).Seconds()
}

func nobody(time.Duration, *Waiter) bool { return false }

// TestSlowDown_MarginEndsWithTheQueue has 300 wait, which is half a minute's at the old rate.
func TestSlowDown_MarginEndsWithTheQueue(t *testing.T) {
	l, now := cutAtTen(t)
	got := demand(l, now, now+10*time.Minute, 10, 300, nobody)
	minute := func(n int) float64 {
		from := now + time.Duration(n)*time.Minute
		return within(got, from, from+time.Minute)
	}
	if first := minute(1); first < 12.2 || first > 1.5*10 {
		t.Errorf("%.2f per second in the second minute, want a quarter to a half over 10", first)
	}
	for n := 3; n < 10; n++ {
		if rate := minute(n); rate < 9.8 || rate > 10.2 {
			t.Errorf("%.2f per second in minute %d, want 10 as before the spike", rate, n)
		}
	}
}

// TestSlowDown_MarginIsBoundedForALastingDemand asks for 1.2 and for three times the old rate.
func TestSlowDown_MarginIsBoundedForALastingDemand(t *testing.T) {
	for _, tt := range []struct{ times, most float64 }{{1.2, 1.2}, {1.6, 1.05}, {3, 1.05}} {
		l, now := cutAtTen(t)
		end := now + spikeHold
		got := demand(l, now, end, tt.times*10, 1000, nobody)
		if rate := within(got, now, end) / 10; rate > tt.most+0.01 || rate < 0.95 {
			t.Errorf("%.3f times the old rate in the hold where %.1f times is asked for, want at most %.2f", rate, tt.times, tt.most)
		}
		if rate := within(got, end-time.Minute, end) / 10; tt.times > 1.2 && rate > 1.05 {
			t.Errorf("%.3f times the old rate in the hold's last minute, want 1", rate)
		}
	}
}

// TestSlowDown_MarginIsHalvedIfItIsRefused has an upstream that permits a fifth more than the
// old rate, and no more.
func TestSlowDown_MarginIsHalvedIfItIsRefused(t *testing.T) {
	l, now := cutAtTen(t)
	level, last, refused := 6.0, now, 0
	got := demand(l, now, now+spikeHold, 10, 600, func(d time.Duration, _ *Waiter) bool {
		level, last = min(6, level+(d-last).Seconds()*12), d
		if level < 1 {
			refused++
			return true
		}
		level--
		return false
	})
	if refused == 0 || refused > 5 {
		t.Errorf("%d refused, want some until the margin is small enough, then none", refused)
	}
	if n := l.queue.length; n > 0 {
		t.Errorf("%d wait still, want the queue drained at a smaller margin", n)
	}
	if rate := within(got, now+14*time.Minute, now+spikeHold); rate < 9.8 || rate > 10.2 {
		t.Errorf("%.2f per second in the hold's last minute, want the old rate: no second cut", rate)
	}
}
