package proxy

import (
	"container/list"
	"time"

	"outrigger/policy"
)

// kick looks at the breaker again and lets out who may go.
func (g *gate) kick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.letOut(time.Now())
}

// letOut lets out as many as the breaker's state permits and sets the timer for
// the next. Locked.
func (g *gate) letOut(now time.Time) {
	if g.breaker.State() != policy.Closed {
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
func (g *gate) letProbe(now time.Time) {
	if g.line.Len() == 0 {
		return
	}
	due := g.breaker.ProbeAt()
	patience := g.breaker.Patience()
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

// nextProbe lets out the first in line whose credential is not that of the last who tried:
// a crowd whose account is broken would else try, and fail, for all. Locked.
func (g *gate) nextProbe() {
	for e := g.line.Front(); e != nil; e = e.Next() {
		if e.Value.(*gateWaiter).who != g.prober {
			g.release(e)
			return
		}
	}
	g.next()
}

// next lets out the head of the line. Locked.
func (g *gate) next() { g.release(g.line.Front()) }

// release lets out one of the line. Locked.
func (g *gate) release(place *list.Element) {
	if place != nil {
		w := g.line.Remove(place).(*gateWaiter)
		g.prober = w.who
		w.out = true
		w.turn <- g // it has room for every line that its owner stands in
	}
}

// arm sets the timer that looks again. Locked.
func (g *gate) arm(d time.Duration) {
	if g.timer == nil {
		g.timer = time.AfterFunc(d, g.kick)
		return
	}
	g.timer.Reset(d)
}

// depth is how many wait.
func (g *gate) depth() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.line.Len()
}

// untilProbe is how long it is to the next probe, at least a second for the
// callers that are told to come back then.
func (g *gate) untilProbe(now time.Time) time.Duration {
	return max(g.breaker.ProbeAt().Sub(now), time.Second)
}

// stop ends the timer.
func (g *gate) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil {
		g.timer.Stop()
	}
}
