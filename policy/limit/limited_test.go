package limit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestAShortMinuteIsUsedInFull asks for 600 where 60 per minute are allowed and
// refusals count against them. What the bucket holds at first comes on top.
func TestAShortMinuteIsUsedInFull(t *testing.T) {
	upstreams := map[string]struct {
		enforce enforcement
		size    float64
		optimum time.Duration
	}{
		"one at a time": {refill, 1, 599 * time.Second},
		"one a second":  {quanta, 1, 599 * time.Second},
		"a full minute": {refill, 60, 540 * time.Second},
		"clock minutes": {window, 60, 540 * time.Second},
	}
	for name, u := range upstreams {
		for _, tells := range []told{{texts: true}, {headers: true}, {headers: true, texts: true}} {
			t.Run(name+" "+tells.String(), func(t *testing.T) {
				for seed := range uint64(3) {
					s := newSimulation(seed, learning, jittery, requests(60, u.enforce, u.size, true, tells))
					r := s.run(burst(600, 10, 500*time.Millisecond), 20*time.Minute)
					most := mostTime * u.optimum.Seconds()
					if u.enforce == window {
						most = 626 // paced evenly it cannot use what is left of a minute
					}
					if r.ok != 600 || r.last.Seconds() > most || r.refused > 20 {
						t.Errorf("seed %d: %d of 600 by %v with %d refused, want all by %.0fs and at most 20", seed, r.ok, r.last, r.refused, most)
					}
				}
			})
		}
	}
}

// TestAShortMinuteIsNotWastedWhereNothingIsTold is the same with bare refusals, of
// which each costs a second that nothing else shows.
func TestAShortMinuteIsNotWastedWhereNothingIsTold(t *testing.T) {
	for name, u := range map[string]struct {
		enforce enforcement
		size    float64
		most    time.Duration
		refused int
	}{
		"one at a time": {refill, 1, 770 * time.Second, 20},
		"one a second":  {quanta, 1, 690 * time.Second, 45},
		"a full minute": {refill, 60, 640 * time.Second, 65},
		"clock minutes": {window, 60, 720 * time.Second, 70},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := newSimulation(seed, learning, jittery, requests(60, u.enforce, u.size, true, told{}))
				r := s.run(burst(600, 10, 500*time.Millisecond), 20*time.Minute)
				if r.ok != 600 || r.last > u.most || r.refused > u.refused {
					t.Errorf("seed %d: %d of 600 by %v with %d refused, want all by %v and at most %d", seed, r.ok, r.last, r.refused, u.most, u.refused)
				}
			}
		})
	}
}

// TestTokensAreUsedInFull sends 100 requests of very different sizes against 120,000
// tokens per minute in a bucket of 4,000: 46,000 tokens, of which 42,000 must come in
// at 2,000 per second.
func TestTokensAreUsedInFull(t *testing.T) {
	const optimum = 21.0
	for name, tells := range map[string]told{
		"texts": {texts: true}, "headers": {headers: true}, "both": {headers: true, texts: true},
	} {
		for where, net := range map[string]network{"near": near, "jittery": jittery} {
			t.Run(name+" "+where, func(t *testing.T) {
				const most = 1.10 * optimum
				for seed := range uint64(10) {
					up := &upstream{told: tells, meters: []*meter{newMeter(origin, "tokens", 120_000, time.Minute, refill, 4000)}}
					s := newSimulation(seed, learning, net, up)
					r := s.run(sizes(seed), 2*time.Minute)
					if r.ok != 100 || r.refused > 10 || r.last.Seconds() > most {
						t.Errorf("seed %d: %d of 100 by %v with %d refused, want all by %.1fs and at most 10", seed, r.ok, r.last, r.refused, most)
					}
				}
			})
		}
	}
}

// sizes is 60 requests of 100 tokens, 30 of 500 and 10 of 2,500, in any order.
func sizes(seed uint64) []*job {
	jobs := append(burst(60, 100, 500*time.Millisecond), burst(30, 500, 500*time.Millisecond)...)
	jobs = append(jobs, burst(10, 2500, 500*time.Millisecond)...)
	rand.New(rand.NewPCG(seed, 3)).Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	return jobs
}

// TestALimitMayChangeWhileRunning halves 1200 per minute after a minute and doubles
// it again after another, under constant pressure.
func TestALimitMayChangeWhileRunning(t *testing.T) {
	const minute = time.Minute
	for _, size := range []float64{20, 1200} {
		for _, tells := range []told{{}, {hint: "exact"}, {texts: true}, {headers: true}, {headers: true, texts: true}} {
			t.Run(fmt.Sprint(size, " ", tells), func(t *testing.T) {
				s := newSimulation(1, learning, jittery, requests(1200, refill, size, false, tells))
				s.changes = []change{
					{minute, func(now time.Time, u *upstream) { u.meters[0].advance(now); u.meters[0].set(600, minute, size/2) }},
					{2 * minute, func(now time.Time, u *upstream) { u.meters[0].advance(now); u.meters[0].set(1200, minute, size) }},
				}
				r := s.run(burst(6000, 10, 500*time.Millisecond), 3*minute)
				for i, c := range []struct {
					from time.Duration
					rate float64
				}{{minute, 10}, {2 * minute, 20}} {
					settled, end := c.from+10*time.Second, c.from+minute
					got := float64(between(r.accepted, settled, end)) / (end - settled).Seconds()
					refused := between(r.refusedAt, c.from, end)
					if got < 0.95*c.rate || got > 1.06*c.rate || refused > 20 {
						t.Errorf("change %d: %.2f per second from 10s after it with %d refused, want %.0f within 5 %% and at most 20", i, got, refused, c.rate)
					}
				}
			})
		}
	}
}

// TestLongStreamsDoNotHoldUpNewCalls starts 490 streams that last ten minutes, at 500
// per minute, and then a call each second.
func TestLongStreamsDoNotHoldUpNewCalls(t *testing.T) {
	for _, tells := range []told{{}, {headers: true}, {headers: true, texts: true}} {
		t.Run(tells.String(), func(t *testing.T) {
			s := newSimulation(1, learning, jittery, requests(500, refill, 500, false, tells))
			jobs := burst(490, 10, 10*time.Minute)
			var calls []*job
			for i := range 60 {
				calls = append(calls, &job{at: time.Minute + time.Duration(i)*time.Second, takes: time.Second})
			}
			sent := map[*Waiter]time.Duration{}
			s.admitted = func(now time.Time, w *Waiter) { sent[w] = now.Sub(origin) }
			r := s.run(append(jobs, calls...), 3*time.Minute)
			if r.refused > 0 {
				t.Errorf("%d refused, want none", r.refused)
			}
			for _, c := range calls {
				if waited := sent[&c.Waiter] - c.at; waited > 200*time.Millisecond {
					t.Errorf("the call at %v waited %v, want at most 200ms", c.at, waited)
				}
			}
		})
	}
}

// TestRefusalsThatAreChargedAreWaitedOut has a bucket of one request, charged with
// refusals too, which the waits that they name leave out: one who comes back after that
// wait is refused again, and would be for ever.
func TestRefusalsThatAreChargedAreWaitedOut(t *testing.T) {
	for _, tells := range []told{{texts: true}, {headers: true, texts: true}} {
		t.Run(tells.String(), func(t *testing.T) {
			s := newSimulation(1, learning, jittery, requests(60, refill, 1, true, tells))
			s.up.unsaid = true
			jobs := burst(300, 10, 50*time.Millisecond)
			for i, j := range jobs {
				j.at = time.Duration(i) * 100 * time.Millisecond
			}
			r := s.run(jobs, 30*time.Second)
			if got := between(r.accepted, 0, 30*time.Second); got < 27 || r.refused > 3 {
				t.Errorf("%d of 30 in 30s with %d refused, want at least 27 and at most 3", got, r.refused)
			}
		})
	}
}
