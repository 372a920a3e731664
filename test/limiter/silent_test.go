package limiter

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"outrigger/internal/memnet"
	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

// silent makes refusals tell nothing but that they are some.
func silent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&muffled{ResponseWriter: w}, r)
	})
}

// muffled drops the headers and the body of a 429.
type muffled struct {
	http.ResponseWriter
	refused bool
}

func (m *muffled) WriteHeader(status int) {
	if m.refused = status == http.StatusTooManyRequests; m.refused {
		clear(m.Header())
	}
	m.ResponseWriter.WriteHeader(status)
}

func (m *muffled) Write(p []byte) (int, error) {
	if m.refused {
		return len(p), nil
	}
	return m.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (m *muffled) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// TestSilentRefusalsAreEnough sends 400 requests at once against 1200 per minute where
// refusals tell nothing at all: four of sixteen must be refused before it is believed,
// and those that are not come back after random waits.
func TestSilentRefusalsAreEnough(t *testing.T) {
	const calls, rpm = 400, 1200
	const best = (calls - rpm/60) * time.Minute / rpm
	refill, quanta := meter.Limit{RPM: rpm, Burst: time.Second}, meter.Limit{RPM: rpm, Enforce: meter.Quanta}
	tests := map[string]struct {
		limit   meter.Limit
		network memnet.Latency
	}{
		"refill":                 {refill, near},
		"refill, refusals count": {counting(refill), near},
		"quanta":                 {quanta, near},
		"quanta, refusals count": {counting(quanta), near},
		"refill, 200 ms away":    {refill, far},
		"quanta, 200 ms away":    {quanta, far},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubbleBehind(t, sim.Config{Latency: thought, Limits: []meter.Limit{tt.limit}, Style: sim.NoHeaders}, tt.network, 0, silent, func(g *rig) {
				o := g.send("", burst(calls))
				if o.ok != calls {
					g.t.Errorf("%d of %d succeeded", o.ok, calls)
				}
				hold(g.t, "the time as a share of the optimum", o.makespan.Seconds()/best.Seconds(), 1.35)
				hold(g.t, "refused", float64(len(o.refused)), calls/4)
			})
		})
	}
}

// TestASilentLimitMayChange halves 1200 per minute and then quarters it.
func TestASilentLimitMayChange(t *testing.T) {
	limit := meter.Limit{RPM: 1200, Burst: time.Second}
	bubbleBehind(t, sim.Config{Latency: thought, Limits: []meter.Limit{limit}, Style: sim.NoHeaders}, near, 0, silent, func(g *rig) {
		for at, rpm := range map[time.Duration]int{time.Minute: 600, 2 * time.Minute: 300, 3 * time.Minute: 1200} {
			time.AfterFunc(at, func() { _ = g.sim.SetLimits(meter.Limit{RPM: rpm, Burst: time.Second}) })
		}
		o := g.send("", burst(3600))
		if o.ok != 3600 {
			g.t.Errorf("%d of 3600 succeeded", o.ok)
		}
		for from, rate := range map[time.Duration]float64{20 * time.Second: 20, 80 * time.Second: 10, 140 * time.Second: 5, 200 * time.Second: 20} {
			let, refused := between(o.let, from, from+40*time.Second), between(o.refused, from, from+40*time.Second)
			if got := float64(let) / 40; got < 0.7*rate || got > 1.1*rate {
				g.t.Errorf("%.2f per second from %v on, want %.1f", got, from, rate)
			}
			hold(g.t, fmt.Sprint("refused from ", from, " on, as a share of what passed"), float64(refused)/float64(let), 0.8)
		}
	})
}

// TestRefusalsAtRandomSlowNobodyDownForLong has an upstream without a limit that after
// ten seconds begins to refuse up to one in five at random and tells nothing: whoever
// takes that for a limit slows down for ever, since it goes on at any rate.
func TestRefusalsAtRandomSlowNobodyDownForLong(t *testing.T) {
	for _, chance := range []float64{0.1, 0.2} {
		for _, rate := range []int{10, 50} {
			t.Run(fmt.Sprint(chance, " of ", rate, " per second"), func(t *testing.T) {
				random := fault.Rule{Kind: fault.KindStatus, Status: http.StatusTooManyRequests, Probability: chance, Start: 10 * time.Second}
				bubbleBehind(t, sim.Config{Latency: thought, Seed: 5, Faults: []fault.Rule{random}}, near, 0, silent, func(g *rig) {
					o := g.send("", steady("", rate, 0, 2*time.Minute))
					if o.ok != 120*rate {
						g.t.Errorf("%d of %d succeeded", o.ok, 120*rate)
					}
					hold(g.t, "the seconds until the last of two minutes' calls", o.makespan.Seconds(), 150)
				})
			})
		}
	}
}
