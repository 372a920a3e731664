package limit

import (
	"math"
	"testing"
	"time"
)

// TestTheTailOfABurstShowsTheRate: over a long way some dozens are under way when the
// first refusal of a burst is heard of, and what becomes of them is not the burst any more.
func TestTheTailOfABurstShowsTheRate(t *testing.T) {
	const ms = time.Millisecond
	first := inFlight{sent: 0, hint: 50 * ms, mark: 100, refused: 1}
	tests := map[string]struct {
		n, known float64
		sent     int64 // since the first that was refused
		refused  int64
		span     time.Duration
		hint     time.Duration
		want     float64
	}{
		"some are let through":           {1, 0, 30, 24, 300 * ms, 50 * ms, 7 / 0.3},
		"none is: no rate":               {1, 0, 30, 30, 300 * ms, 50 * ms, 0},
		"one may be a share's begin":     {1, 0, 30, 29, 300 * ms, 50 * ms, 0},
		"each refusal makes them wait":   {1, 0, 30, 30, 300 * ms, 1250 * ms, 20},
		"a wait in whole seconds":        {1, 0, 30, 30, 300 * ms, 1050 * ms, 0},
		"the share after the next":       {1, 0, 30, 30, 300 * ms, 752 * ms, 0},
		"too few":                        {1, 0, 7, 3, 300 * ms, 50 * ms, 0},
		"too short a time":               {1, 0, 30, 24, 90 * ms, 50 * ms, 0},
		"not the first congestion event": {2, 0, 30, 24, 300 * ms, 50 * ms, 0},
		"a limit that is known is known": {1, 20, 30, 24, 300 * ms, 50 * ms, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(Settings{Learn: true}, origin)
			b := l.bucket(slotRequests)
			b.estimate = estimate{rate: 80, unit: 1, n: int(tt.n), begun: first}
			if tt.known > 0 {
				b.limit, b.window = tt.known, time.Second
			}
			l.refused[unitRequest] = first.refused + tt.refused
			w := &Waiter{sent: tt.span}
			w.mark[unitRequest] = first.mark + tt.sent
			if got := l.inFlightRate(w, slotRequests, tt.hint); math.Abs(got-tt.want) > 1e-9 {
				t.Errorf("%.3f per second, want %.3f", got, tt.want)
			}
		})
	}
}

// TestABurstOverALongWayIsHardlyRefusedAgain has a bucket of five seconds that says
// next to nothing: what was saved up must not be taken for the rate.
func TestABurstOverALongWayIsHardlyRefusedAgain(t *testing.T) {
	for _, tells := range []told{{}, {hint: "exact"}, {hint: "seconds"}} {
		for counting, counts := range map[string]bool{", counting": true, "": false} {
			t.Run(tells.String()+counting, func(t *testing.T) {
				for seed := range uint64(5) {
					s := newSimulation(seed, learning, farDials, requests(1200, refill, 100, counts, tells).shift(seed))
					r := s.run(burst(400, 100, 500*time.Millisecond), time.Minute)
					most := 40
					if counts && tells.hint != "exact" {
						most = 80
					}
					if r.ok != 400 || r.refused > most {
						t.Errorf("seed %d: %d of 400 by %v with %d refused, want all and at most %d", seed, r.ok, r.last, r.refused, most)
					}
				}
			})
		}
	}
}
