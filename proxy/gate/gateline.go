package gate

import (
	"container/list"
	"time"

	"outrigger/policy"
)

// kick looks at the breaker again and lets out who may go.
func (g *Gate) kick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.letOut(time.Now())
}

// letOut lets out as many as the breaker's state permits and sets the timer for
// the next. Locked.
func (g *Gate) letOut(now time.Time) {
	if g.Breaker.State() != policy.Closed {
		g.ramp = nil
		g.letProbe(now)
		return
	}
	if g.line.Len() == 0 {
		g.ramp = nil
		g.closed.Store(true)
		return
	}
	if g.ramp == nil {
		g.ramp = policy.NewRamp(now)
	}
	for n := g.ramp.Take(now, g.line.Len()); n > 0; n-- {
		g.next()
	}
	g.arm(g.ramp.Next(now).Sub(now))
}

// letProbe lets one out to try, if it is time. Locked.
func (g *Gate) letProbe(now time.Time) {
	if g.line.Len() == 0 {
		return
	}
	due := g.Breaker.ProbeAt()
	patience := g.Breaker.Patience()
	if silent := g.probed.Add(patience); silent.After(due) {
		due = silent
	}
	if due.After(now) {
		g.arm(due.Sub(now))
		return
	}
	g.probed = now
	g.nextProbe()
	g.arm(patience)
}

// nextProbe lets out the first in queue whose credential is not that of the last who tried:
// a crowd whose account is broken would else try, and fail, for all. Locked.
func (g *Gate) nextProbe() {
	for e := g.line.Front(); e != nil; e = e.Next() {
		if e.Value.(*gateWaiter).who != g.prober {
			g.Release(e)
			return
		}
	}
	g.next()
}

// next lets out the head of the queue. Locked.
func (g *Gate) next() { g.Release(g.line.Front()) }

// Release lets out one of the queue. Locked.
func (g *Gate) Release(place *list.Element) {
	if place != nil {
		w := g.line.Remove(place).(*gateWaiter)
		g.prober = w.who
		w.out = true
		w.turn <- g // it has room for every queue that its owner stands in
	}
}

// arm sets the timer that looks again. Locked.
func (g *Gate) arm(d time.Duration) {
	if g.timer == nil {
		g.timer = time.AfterFunc(d, g.kick)
		return
	}
	g.timer.Reset(d)
}

// Depth is how many wait.
func (g *Gate) Depth() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.line.Len()
}

// UntilProbe is how long it is to the next probe, at least a second for the
// callers that are told to come back then.
func (g *Gate) UntilProbe(now time.Time) time.Duration {
	return max(g.Breaker.ProbeAt().Sub(now), time.Second)
}

// Stop ends the timer.
func (g *Gate) Stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil {
		g.timer.Stop()
	}
}
