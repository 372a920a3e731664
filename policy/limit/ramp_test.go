package limit

import (
	"testing"
	"time"
)

// climb takes all that a ramp lets out until d, one word to the wire after another,
// and returns how many each step of 150 ms held.
func climb(r *ramp, from, d time.Duration, dial time.Duration) []int {
	out := make([]int, d/coldStep)
	for t := from; t < from+d; t += time.Millisecond {
		for r.on && r.wait(t, 0) == 0 {
			r.take(t)
			r.wrote(t+dial, dial, 0)
			out[(t-from)/coldStep]++
		}
		if !r.on {
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
			r := &ramp{heard: tt.heard}
			r.start(coldQuota)
			got := climb(r, 0, time.Duration(len(tt.want))*coldStep, 0)
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
	var r ramp
	r.start(coldQuota)
	for range coldQuota {
		if r.wait(0, 0) != 0 {
			t.Fatal("the first ones must go at once")
		}
		r.take(0)
	}
	if got := r.wait(time.Second, 0); got < coldStep {
		t.Errorf("nothing was sent: it waits %v, want at least a step", got)
	}
	r.wrote(time.Second, time.Second, 0) // a slow dial: a step holds three round trips
	if got, want := r.wait(time.Second, 0), maxStep; got != want {
		t.Errorf("it waits %v, want %v", got, want)
	}
	// If it is never told that anything was sent it goes on at the same speed.
	r = ramp{}
	r.start(coldQuota)
	for range coldQuota {
		r.take(0)
	}
	if got := r.wait(unsentMax, 0); got != 0 || r.quota != coldQuota {
		t.Errorf("it waits %v with a quota of %d, want the same step again", got, r.quota)
	}
}

func TestWhatWentOutOnceGoesOutAtOnceTheNextTime(t *testing.T) {
	var r ramp
	r.start(coldQuota)
	n := 0
	for _, c := range climb(&r, 0, 3*coldStep, 0) {
		n += c
	}
	// Nobody asks for a while: the burst is over and nothing was refused.
	atOnce := 0
	for now := 10 * time.Second; r.wait(now, 0) == 0; atOnce++ {
		r.take(now)
	}
	if atOnce != n {
		t.Errorf("%d at once, want the %d of before", atOnce, n)
	}
}

func TestARampEndsWhenItRestrainsNobody(t *testing.T) {
	r := &ramp{heard: true}
	r.start(coldQuota)
	climb(r, 0, 2*time.Second, 0)
	if r.on {
		t.Errorf("still on with a quota of %d", r.quota)
	}
}

func TestATryLetsOneOut(t *testing.T) {
	var r ramp
	r.try(20 * time.Millisecond)
	if r.wait(0, 100) != 0 {
		t.Fatal("the one must go at once")
	}
	r.take(0)
	r.wrote(time.Millisecond, time.Millisecond, 0)
	if got, want := r.wait(time.Millisecond, 100), 20*time.Millisecond; got != want {
		t.Errorf("the next waits %v, want %v of silence", got, want)
	}
	if got := r.wait(21*time.Millisecond, 100); got != 0 || r.on {
		t.Errorf("after that %v, want it over", got)
	}
}

func TestAnAdmissionThatWasNotSentIsTakenBack(t *testing.T) {
	var r ramp
	r.start(1)
	r.take(0)
	if r.wait(0, 0) == 0 {
		t.Fatal("a second one went")
	}
	r.back()
	if got := r.wait(0, 0); got != 0 {
		t.Errorf("it waits %v, want the permit to be free again", got)
	}
	r.back() // never below nothing
	if r.used != 0 || r.run != 0 {
		t.Errorf("used %d, run %d, want 0", r.used, r.run)
	}
}

// TestStepsOverALongWayHoldNoMoreThanATenthOfThoseWhoWant: once the first refusal is
// heard of, all of a step has gone.
func TestStepsOverALongWayHoldNoMoreThanATenthOfThoseWhoWant(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		ramp ramp
		want int
	}{
		"a long way":                      {ramp{step: 300 * ms, dial: 200 * ms, queued: 400}, 40},
		"those who went count":            {ramp{step: 300 * ms, dial: 200 * ms, queued: 300, run: 100}, 40},
		"a quarter of those who went":     {ramp{step: 300 * ms, dial: 200 * ms, queued: 40, run: 360}, 90},
		"few want to go":                  {ramp{step: 300 * ms, dial: 200 * ms, queued: 30}, leastQuota},
		"a way of half a step":            {ramp{step: coldStep, dial: 50 * ms, queued: 400}, 80},
		"a short way":                     {ramp{step: coldStep, dial: 2 * ms, queued: 400}, 40 * 50},
		"no way at all":                   {ramp{step: coldStep, queued: 400}, 2 * openQuota},
		"the longest way has short steps": {ramp{step: maxStep, dial: 2 * time.Second, queued: 400}, 13},
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

// TestASecondsShareHoldsFewerOfLargerRequests: those that went were small, and 20 of
// their size would fit into a second's share. Which ones come first is up to nobody.
func TestASecondsShareHoldsFewerOfLargerRequests(t *testing.T) {
	tests := map[string]struct {
		tokens []int // of those who wait
		want   int
	}{
		"nobody waits":         {nil, 20},
		"small ones":           {[]int{100, 50}, 20},
		"larger ones":          {[]int{400, 600}, 4},
		"one larger than that": {[]int{5000}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(Settings{Learn: true}, origin)
			l.answer(t, 0, &Waiter{Tokens: 100}, limits("Tokens", "120000", "119900", "50ms"))
			l.hold(at(time.Millisecond), time.Second)
			for _, n := range tt.tokens {
				if got := l.Enter(at(time.Millisecond), &Waiter{Tokens: n}); got.Reason != Queued {
					t.Fatal(got)
				}
			}
			if got := l.safe(); got != tt.want {
				t.Errorf("%d at once, want %d", got, tt.want)
			}
		})
	}
}

// TestAQuickAnswerShowsHowLongARefusalTakes: the dial may tell nothing of it.
func TestAQuickAnswerShowsHowLongARefusalTakes(t *testing.T) {
	tests := map[string]struct {
		answers []time.Duration
		worked  time.Duration
		step    time.Duration
	}{
		"near":                      {[]time.Duration{20 * time.Millisecond}, 0, coldStep},
		"far behind an edge":        {[]time.Duration{220 * time.Millisecond}, 0, 275 * time.Millisecond},
		"the quickest of them":      {[]time.Duration{20 * time.Millisecond, 290 * time.Millisecond}, 0, coldStep},
		"work, of which none knows": {[]time.Duration{500 * time.Millisecond}, 0, coldStep},
		"far, and work":             {[]time.Duration{900 * time.Millisecond}, 500 * time.Millisecond, 500 * time.Millisecond},
		"near, and work":            {[]time.Duration{900 * time.Millisecond}, 890 * time.Millisecond, coldStep},
		"more work than time":       {[]time.Duration{200 * time.Millisecond}, time.Second, 250 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			for _, took := range tt.answers {
				w := pass(t, l, 0, &Waiter{})
				l.Answered(at(took), w, Headers{Worked: tt.worked})
				l.last = origin
			}
			l.ramp.start(coldQuota)
			if l.ramp.step != tt.step {
				t.Errorf("a step lasts %v, want %v", l.ramp.step, tt.step)
			}
		})
	}
}

// TestABusyMachineIsNoFarUpstream: what a request waits for a processor is not the way.
func TestABusyMachineIsNoFarUpstream(t *testing.T) {
	tests := map[string]struct {
		dial, connect, step time.Duration
	}{
		"busy, near":           {800 * time.Millisecond, time.Millisecond, coldStep},
		"busy, far":            {800 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond},
		"far":                  {200 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond},
		"far, through a proxy": {200 * time.Millisecond, 0, 300 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			w := &Waiter{Connect: tt.connect}
			l.Enter(origin, w)
			l.Sent(at(tt.dial), w)
			if l.ramp.step != tt.step {
				t.Errorf("a step lasts %v, want %v", l.ramp.step, tt.step)
			}
		})
	}
}
