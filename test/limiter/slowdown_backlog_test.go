package limiter

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/policy/limit"
)

// guard is an upstream that answers Slow Down to what exceeds a rate, as OpenAI does where
// traffic rises too fast. It counts accepted requests in a bucket that holds one second's worth.
type guard struct {
	next   http.Handler
	rate   float64 // requests per second
	mu     sync.Mutex
	level  float64
	at     time.Time
	denied []time.Time
}

// below returns a wrapper for bubbleBehind and where its guard can be read.
func below(rate float64) (func(http.Handler) http.Handler, *guard) {
	g := &guard{rate: rate, level: rate}
	return func(next http.Handler) http.Handler { g.next = next; return g }, g
}

func (g *guard) admits(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.at.IsZero() {
		g.level = min(g.rate, g.level+now.Sub(g.at).Seconds()*g.rate)
	}
	g.at = now
	if g.level < 1 {
		g.denied = append(g.denied, now)
		return false
	}
	g.level--
	return true
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.admits(time.Now()) {
		g.next.ServeHTTP(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(w, slowDown)
}

// median is the p50 of how long the calls that began in [from, to) took.
func median(calls []call, answers []answered, from, to time.Duration) time.Duration {
	var took []time.Duration
	for i, c := range calls {
		if c.at >= from && c.at < to {
			took = append(took, answers[i].took)
		}
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// poisson is steady with random arrivals.
func poisson(perSecond float64, from, to time.Duration) []call {
	r := rand.New(rand.NewPCG(7, uint64(from)))
	var calls []call
	for at := from; at < to; at += time.Duration(r.ExpFloat64() / perSecond * float64(time.Second)) {
		calls = append(calls, call{at: at})
	}
	return calls
}

// TestSlowDown_BacklogOfASpikeDrainsInTwoMinutes sends a steady 15/s, a spike to 80/s, and
// 15/s again for longer than the hold. The upstream answers Slow Down to what exceeds 30/s.
// A spike of 20 s leaves a backlog of 84 s at the old rate. No margin within OpenAI's 50 %
// drains that in two minutes, so it may take 3.5.
func TestSlowDown_BacklogOfASpikeDrainsInTwoMinutes(t *testing.T) {
	const before, hold, old = 5 * time.Minute, 15 * time.Minute, 15
	evenly := func(from, to time.Duration) []call { return steady("", old, from, to) }
	randomly := func(from, to time.Duration) []call { return poisson(old, from, to) }
	tests := map[string]struct {
		spike   time.Duration
		load    func(from, to time.Duration) []call
		drained time.Duration // after the spike
		spare   time.Duration // by which p50 may differ from that before the spike
	}{
		"5s":          {5 * time.Second, evenly, 2 * time.Minute, 20 * time.Millisecond},
		"10s":         {10 * time.Second, evenly, 2 * time.Minute, 20 * time.Millisecond},
		"20s":         {20 * time.Second, evenly, 210 * time.Second, 20 * time.Millisecond},
		"10s, random": {10 * time.Second, randomly, 2 * time.Minute, 100 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			says, upstream := below(2 * old)
			bubbleBehind(t, sim.Config{Latency: 100 * time.Millisecond}, near, 0, says, func(g *rig) {
				end := before + tt.spike
				calls := slices.Concat(tt.load(0, before), steady("", 80, before, end), tt.load(end, end+hold+2*time.Minute))
				o := g.send("", calls)
				if o.ok != len(calls) {
					g.t.Errorf("%d of %d succeeded", o.ok, len(calls))
				}
				was := median(calls, o.answers, before-time.Minute, before)
				g.t.Log("p50 before", was, "in the spike", median(calls, o.answers, before, end))
				for from := end; from < end+hold; from += time.Minute {
					p50, let := median(calls, o.answers, from, from+time.Minute), between(o.let, from, from+time.Minute)
					g.t.Log(from-end, "after the spike p50", p50, "let through", let)
					if from >= end+tt.drained && p50 > was+tt.spare {
						g.t.Errorf("p50 %v from %v after the spike on, want %v as before", p50, from-end, was)
					}
					if let > 1.5*old*60 {
						g.t.Errorf("%d let through in the minute from %v after the spike on, want at most half more than the old %d/s", let, from-end, old)
					}
				}
				if let := between(o.let, end, end+hold); float64(let) > 1.2*old*hold.Seconds() {
					g.t.Errorf("%d let through in the hold, want at most 1.2 times the old rate", let)
				}
				if n := len(upstream.denied); n == 0 || upstream.denied[n-1].Sub(upstream.denied[0]) > time.Second {
					g.t.Errorf("told to slow down %d times, want only at the cut: %v", n, upstream.denied)
				}
			})
		})
	}
}

// TestSlowDown_SoonAfterTheStartKeepsTheSteadyRate has a spike after a few seconds of a steady
// 15/s: the rate before it is that of the time that passed, however short.
func TestSlowDown_SoonAfterTheStartKeepsTheSteadyRate(t *testing.T) {
	const old, spike, drained, rest = 15, 5 * time.Second, 3 * time.Minute, 5 * time.Minute
	for _, most := range []float64{22, 30} {
		for _, before := range []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second} {
			t.Run(fmt.Sprint(before, " below ", most, " per second"), func(t *testing.T) {
				says, upstream := below(most)
				bubbleBehind(t, sim.Config{Latency: 100 * time.Millisecond}, near, 0, says, func(g *rig) {
					end := before + spike
					calls := slices.Concat(steady("", old, 0, before), steady("", 80, before, end), steady("", old, end, end+rest))
					time.AfterFunc(end+time.Second, func() {
						i := slices.IndexFunc(g.state().Buckets, func(b limit.Bucket) bool { return b.Dimension == "slow_down" })
						if i < 0 {
							g.t.Error("no ceiling after the spike")
							return
						}
						if rate := g.state().Buckets[i].Rate; rate < 0.98*old {
							g.t.Errorf("the ceiling is %.1f/s, want at least the old %d/s", rate, old)
						}
					})
					o := g.send("", calls)
					if o.ok != len(calls) {
						g.t.Errorf("%d of %d succeeded", o.ok, len(calls))
					}
					was := median(calls, o.answers, before/2, before)
					if p50 := median(calls, o.answers, end+drained, end+drained+time.Minute); p50 > was+20*time.Millisecond {
						g.t.Errorf("p50 %v from %v after the spike on, want %v as before", p50, drained, was)
					}
					g.t.Log("p50 before", was, "told to slow down", len(upstream.denied), "times, the last answer after", o.makespan)
				})
			})
		}
	}
}
