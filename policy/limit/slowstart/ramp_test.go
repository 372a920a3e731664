package slowstart

import (
	"testing"
	"time"
)

// climb takes all that a ramp lets out until d, one word to the wire after another,
// and returns how many each step of 150 ms held.
func climb(r *Ramp, from, d time.Duration, dial time.Duration) []int {
	out := make([]int, d/ColdStep)
	for t := from; t < from+d; t += time.Millisecond {
		for r.On && r.Wait(t, 0) == 0 {
			r.Take(t)
			r.Wrote(t+dial, dial, 0)
			out[(t-from)/ColdStep]++
		}
		if !r.On {
			break
		}
	}
	return out
}

func TestARampGrowsStepByStep(t *testing.T) {
	tests := map[string]struct {
		heard bool
		want  []int
	}{
		"before any answer": {false, []int{4, 8, 16, 32, 64, 128}},
		"after one":         {true, []int{4, 16, 64, 256, 1024}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := &Ramp{heard: tt.heard}
			r.Start(ColdQuota)
			got := climb(r, 0, time.Duration(len(tt.want))*ColdStep, 0)
			for i, n := range tt.want {
				// Steps begin at whole milliseconds here.
				if d := got[i] - n; d < -n/20-1 || d > n/20+1 {
					t.Errorf("step %d: %d, want %d", i, got[i], n)
				}
			}
		})
	}
}

func TestARampWaitsForWordFromTheWire(t *testing.T) {
	var r Ramp
	r.Start(ColdQuota)
	for range ColdQuota {
		if r.Wait(0, 0) != 0 {
			t.Fatal("the first ones must go at once")
		}
		r.Take(0)
	}
	if got := r.Wait(time.Second, 0); got < ColdStep {
		t.Errorf("nothing was sent: it waits %v, want at least a step", got)
	}
	r.Wrote(time.Second, time.Second, 0) // a slow dial: a step holds three round trips
	if got, want := r.Wait(time.Second, 0), maxStep; got != want {
		t.Errorf("it waits %v, want %v", got, want)
	}
	// If it is never told that anything was sent it goes on at the same speed.
	r = Ramp{}
	r.Start(ColdQuota)
	for range ColdQuota {
		r.Take(0)
	}
	if got := r.Wait(unsentMax, 0); got != 0 || r.quota != ColdQuota {
		t.Errorf("it waits %v with a quota of %d, want the same step again", got, r.quota)
	}
}

func TestWhatWentOutOnceGoesOutAtOnceTheNextTime(t *testing.T) {
	var r Ramp
	r.Start(ColdQuota)
	n := 0
	for _, c := range climb(&r, 0, 3*ColdStep, 0) {
		n += c
	}
	// Nobody asks for a while: the burst is over and nothing was refused.
	atOnce := 0
	for now := 10 * time.Second; r.Wait(now, 0) == 0; atOnce++ {
		r.Take(now)
	}
	if atOnce != n {
		t.Errorf("%d at once, want the %d of before", atOnce, n)
	}
}

func TestARampEndsWhenItRestrainsNobody(t *testing.T) {
	r := &Ramp{heard: true}
	r.Start(ColdQuota)
	climb(r, 0, 2*time.Second, 0)
	if r.On {
		t.Errorf("still on with a quota of %d", r.quota)
	}
}

func TestATryLetsOneOut(t *testing.T) {
	var r Ramp
	r.Try(20 * time.Millisecond)
	if r.Wait(0, 100) != 0 {
		t.Fatal("the one must go at once")
	}
	r.Take(0)
	r.Wrote(time.Millisecond, time.Millisecond, 0)
	if got, want := r.Wait(time.Millisecond, 100), 20*time.Millisecond; got != want {
		t.Errorf("the next waits %v, want %v of silence", got, want)
	}
	if got := r.Wait(21*time.Millisecond, 100); got != 0 || r.On {
		t.Errorf("after that %v, want it over", got)
	}
}

func TestAnAdmissionThatWasNotSentIsTakenBack(t *testing.T) {
	var r Ramp
	r.Start(1)
	r.Take(0)
	if r.Wait(0, 0) == 0 {
		t.Fatal("a second one went")
	}
	r.Back()
	if got := r.Wait(0, 0); got != 0 {
		t.Errorf("it waits %v, want the permit to be free again", got)
	}
	r.Back() // never below nothing
	if r.used != 0 || r.run != 0 {
		t.Errorf("used %d, run %d, want 0", r.used, r.run)
	}
}

// TestStepsOverALongWayHoldNoMoreThanATenthOfThoseWhoWant: once the first refusal is
// heard of, all of a step has gone.
func TestStepsOverALongWayHoldNoMoreThanATenthOfThoseWhoWant(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		ramp Ramp
		want int
	}{
		"a long way":                      {Ramp{Step: 300 * ms, dial: 200 * ms, Queued: 400}, 40},
		"those who went count":            {Ramp{Step: 300 * ms, dial: 200 * ms, Queued: 300, run: 100}, 40},
		"a quarter of those who went":     {Ramp{Step: 300 * ms, dial: 200 * ms, Queued: 40, run: 360}, 90},
		"few want to go":                  {Ramp{Step: 300 * ms, dial: 200 * ms, Queued: 30}, leastQuota},
		"a way of half a step":            {Ramp{Step: ColdStep, dial: 50 * ms, Queued: 400}, 80},
		"a short way":                     {Ramp{Step: ColdStep, dial: 2 * ms, Queued: 400}, 40 * 50},
		"no way at all":                   {Ramp{Step: ColdStep, Queued: 400}, 2 * openQuota},
		"the longest way has short steps": {Ramp{Step: maxStep, dial: 2 * time.Second, Queued: 400}, 13},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.ramp.most(); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
			tt.ramp.quota = 200
			tt.ramp.grow()
			if want := min(growth*200, tt.want); tt.ramp.quota != want {
				t.Errorf("a step of %d after one of 200, want %d", tt.ramp.quota, want)
			}
		})
	}
}
