package shadow

import (
	"sync"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
)

// Bounds of what is kept: the last calls of each endpoint and model at an upstream, and how many
// of those.
const (
	kept      = 32
	maxGroups = 64
)

// near is how much older than the newest call one may be that stands in for an attempt: the
// upstream may have changed since.
const near = time.Second

// Key tells the calls apart that say nothing about each other.
type Key struct{ Lane, Endpoint, Model string }

// Calls are the real calls of the last time. Safe for concurrent use. The zero value is ready.
type Calls struct {
	mu     sync.Mutex
	groups map[Key]*group
	tick   uint64
}

// group are the calls of one Key. Its fields are under the Calls' lock.
type group struct {
	calls  *Calls
	used   uint64 // tick of the last use
	begun  ring   // in the order of their starts
	served ring   // that were not refused for the rate, in the order of their ends
	sound  ring   // that were not refused for load of any kind, as above
	open   map[*Real]struct{}
	load   load

	shadows int // attempts of shadows that run, and were not refused for load
}

// ring keeps the last calls.
type ring struct {
	all [kept]*Real
	n   int
}

func (r *ring) add(call *Real) {
	r.all[r.n%kept] = call
	r.n++
}

// newest returns the calls, the newest first.
func (r *ring) newest(yield func(*Real) bool) {
	for i := r.n - 1; i >= 0 && i >= r.n-kept; i-- {
		if !yield(r.all[i%kept]) {
			return
		}
	}
}

// Add shows a real call to the attempts of shadows.
func (c *Calls) Add(r *Real, k Key, effect endpoint.Effect) {
	c.mu.Lock()
	g := c.group(k)
	c.mu.Unlock()
	for ; r != nil; r = r.again.Load() {
		c.add(r, g, effect)
	}
}

func (c *Calls) add(r *Real, g *group, effect endpoint.Effect) {
	c.mu.Lock()
	if _, known := g.open[r]; !known {
		g.begun.add(r)
		g.open[r] = struct{}{}
	}
	c.mu.Unlock()
	r.mu.Lock()
	r.shown, r.group, r.effect = time.Now(), g, effect
	over := r.over
	r.mu.Unlock()
	if over {
		c.ended(r, g)
	}
}

// group returns the group of k. The one that was used longest ago makes room.
func (c *Calls) group(k Key) *group {
	c.tick++
	if g := c.groups[k]; g != nil {
		g.used = c.tick
		return g
	}
	if c.groups == nil {
		c.groups = map[Key]*group{}
	}
	if len(c.groups) >= maxGroups {
		var oldest Key
		least := c.tick
		for k, g := range c.groups {
			if g.used < least {
				oldest, least = k, g.used
			}
		}
		delete(c.groups, oldest)
	}
	g := &group{calls: c, used: c.tick, open: map[*Real]struct{}{}}
	c.groups[k] = g
	return g
}

// ended takes in the end of a real call.
func (c *Calls) ended(r *Real, g *group) {
	v, _ := r.Verdict()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, open := g.open[r]; !open {
		return
	}
	delete(g.open, r)
	if !v.Proven {
		g.served.add(r)
	}
	if isLoad(v) {
		g.load.refused(r, g.running(r))
		return
	}
	g.sound.add(r)
	if v.Outcome == classify.OutcomeOK {
		g.load.servedAt(r.start.Add(r.took), g.running(r)+1)
	}
}

// running is how many calls beside r are under way that were not refused, as far as can be told:
// refusals come at once.
func (g *group) running(r *Real) int {
	now, n := time.Now(), 0
	for other := range g.open {
		if other != r && now.Sub(other.start) > g.load.refusal {
			n++
		}
	}
	return n
}

// well returns a call that stands in for an attempt that is not refused for load: of those that
// have ended, or one that is under way and not refused yet. Nil is none at all.
func (g *group) well(ended *ring) *Real {
	if r := standIn(ended, nil); r != nil {
		return r
	}
	now := time.Now()
	var oldest *Real
	for r := range g.open {
		if now.Sub(r.start) > g.load.refusal && (oldest == nil || r.start.Before(oldest.start)) {
			oldest = r
		}
	}
	return oldest
}

// isLoad reports whether an answer is a refusal that another load might have not drawn.
func isLoad(v classify.Verdict) bool {
	return v.Outcome == classify.OutcomeRateLimited || v.Outcome == classify.OutcomeSlowDown || v.Outcome == classify.OutcomeOverloaded
}

// standIn returns the call of a ring that stands in for an attempt: of those that began near the
// newest one's start, the one that did so least, and the newest of these. It is not the
// attempt's own call, unless there is no other. Nil is none at all.
func standIn(r *ring, own *Real) *Real {
	var best, newest *Real
	r.newest(func(c *Real) bool {
		if c == own {
			return true
		}
		if newest == nil {
			newest = c
		}
		if newest.start.Sub(c.start) <= near && (best == nil || c.stoodIn < best.stoodIn) {
			best = c
		}
		return true
	})
	if best != nil {
		best.stoodIn++
		return best
	}
	return own
}
