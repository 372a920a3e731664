package limit

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The networks of the simulations. Of the far ones the first shares a connection, as
// HTTP/2 does, and the second dials for each request that is under way.
var (
	near     = network{rtt: time.Millisecond, dials: true}
	jittery  = network{rtt: time.Millisecond, jitter: 3 * time.Millisecond, dials: true}
	far      = network{rtt: 200 * time.Millisecond, jitter: 3 * time.Millisecond, shares: true}
	farDials = network{rtt: 200 * time.Millisecond, jitter: 3 * time.Millisecond, dials: true}
)

// learning is how the limiters of the simulations are set up.
var learning = Settings{Learn: true}

func newSimulation(seed uint64, set Settings, net network, up *upstream) *simulation {
	return &simulation{
		limiter: New(set, origin), up: up, net: net, now: origin,
		rnd: rand.New(rand.NewPCG(seed, 7)),
	}
}

// burst is n requests at once.
func burst(n, tokens int, takes time.Duration) []*job {
	jobs := make([]*job, n)
	for i := range jobs {
		jobs[i] = &job{Waiter: Waiter{Tokens: tokens}, takes: takes}
	}
	return jobs
}

// between counts the times from a on and before b.
func between(times []time.Duration, a, b time.Duration) int {
	n := 0
	for _, t := range times {
		if t >= a && t < b {
			n++
		}
	}
	return n
}

// requests is an upstream with one limit on requests.
func requests(limit float64, e enforcement, size float64, counts bool, t told) *upstream {
	return &upstream{
		meters:        []*meter{newMeter(origin, "requests", limit, time.Minute, e, size)},
		countRefusals: counts, told: t,
	}
}

// shift moves the phase of an upstream's seconds.
func (u *upstream) shift(seed uint64) *upstream {
	phase := rand.New(rand.NewPCG(seed, 1)).Int64N(int64(time.Second))
	for _, m := range u.meters {
		m.at = m.at.Add(time.Duration(phase) - time.Second)
	}
	return u
}

// at returns the time d after the start.
func at(d time.Duration) time.Time { return origin.Add(d) }

// admits returns who Release lets out at d.
func admits(l *Limiter, d time.Duration) []*Waiter {
	var out []*Waiter
	l.Release(at(d), func(w *Waiter) { out = append(out, w) })
	return out
}

// pass sends a new request through at d, as admitted at once, and returns it.
func pass(t *testing.T, l *Limiter, d time.Duration, w *Waiter) *Waiter {
	t.Helper()
	if got := l.Enter(at(d), w); got.Reason != Admitted {
		t.Fatalf("Enter at %v = %v, want it admitted", d, got)
	}
	l.Sent(at(d), w)
	return w
}
