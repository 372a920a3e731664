package gate

import (
	"container/list"
	"context"
	"slices"
	"time"

	"outrigger/policy"
	"outrigger/proxy/carrier"
)

// gateWaiter is one request in one gate's queue.
type gateWaiter struct {
	turn chan *Gate // gets the gate that lets it out
	who  carrier.Credential
	out  bool // it was; under the gate's lock
}

// Wait returns when its caller may try Allow, with ErrShut at until, or with
// the cause of ctx's end. One that was let out and found the breaker still shut
// comes back to the front.
func (g *Gate) Wait(ctx context.Context, who carrier.Credential, until time.Time, back bool) error {
	_, err := WaitAt(ctx, who, []*Gate{g}, until, back)
	return err
}

// WaitAt waits at several gates and returns the first that lets its caller out.
// The errors are those of Wait.
func WaitAt(ctx context.Context, who carrier.Credential, gates []*Gate, until time.Time, back bool) (*Gate, error) {
	turn := make(chan *Gate, len(gates))
	places := make([]*list.Element, len(gates))
	for i, g := range gates {
		places[i] = g.join(&gateWaiter{turn: turn, who: who}, back)
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	var out *Gate
	err := ErrShut
	for waiting := true; waiting; {
		select {
		case out = <-turn:
			err, waiting = nil, false
		case <-timer.C:
			// Once a breaker is closed the ramp needs less than a second for the rest.
			waiting = slices.ContainsFunc(gates, func(g *Gate) bool { return g.Breaker.State() == policy.Closed })
		case <-ctx.Done():
			err, waiting = context.Cause(ctx), false
		}
	}
	for i, g := range gates {
		if g != out {
			g.leave(places[i])
		}
	}
	return out, err
}

// join adds a waiter at the back of the queue, or at its front.
func (g *Gate) join(w *gateWaiter, front bool) *list.Element {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed.Store(false)
	place := g.line.PushBack(w)
	if front {
		g.line.MoveToFront(place)
	}
	g.letOut(time.Now())
	return place
}

// leave gives a place up. If its turn came at the same moment, another one goes instead.
func (g *Gate) leave(place *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if place.Value.(*gateWaiter).out {
		g.probed = time.Time{}
	} else {
		g.line.Remove(place)
	}
	g.letOut(time.Now())
}

// Try reports whether its caller may go on to Allow without waiting: the breaker
// has closed and nobody waits any more, or a probe is due, which its caller then
// is. It is for those that could be served elsewhere, so probes are an open period
// apart even while they are silent. A shy one leaves the probe to others for one
// period more: what it sends could not be sent elsewhere if the probe fails.
func (g *Gate) Try(now time.Time, shy bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.line.Len() > 0 {
		return false // they come first, and somebody sees to it
	}
	if g.Breaker.State() == policy.Closed {
		g.closed.Store(true)
		return true
	}
	due := g.Breaker.ProbeAt()
	if silent := g.probed.Add(g.open); silent.After(due) {
		due = silent
	}
	if shy {
		due = due.Add(g.open)
	}
	if due.After(now) {
		return false
	}
	g.probed = now
	return true
}
