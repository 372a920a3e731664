package proxy

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// gate is one upstream's breaker with the line of those who wait at it. While it
// is open or half-open, one at a time is let out to try: at the breaker's probe
// time, and again each open period while a probe is still silent, so that a
// probe that hangs does not hold up the next. Once closed, the line is let out
// by a ramp. Safe for concurrent use.
//
// Being let out is no permit: that is taken by allow, just before the attempt,
// because the limiter stands in between and a permit that waits would hold up
// all others.
type gate struct {
	breaker *policy.Breaker
	open    time.Duration

	heard    atomic.Int64 // when a call came to it, if it is a scope's, in Unix nanoseconds
	lastLoss atomic.Int64 // of a long call, in Unix nanoseconds

	closed atomic.Bool // nobody waits and the breaker was not seen open: the fast path
	mu     sync.Mutex
	line   list.List // of *gateWaiter
	ramp   *policy.Ramp
	probed time.Time  // when the last one was let out to try
	prober credential // whose that was
	timer  *time.Timer
}

func newGate(c policy.BreakerConfig, alone bool) *gate {
	g := &gate{breaker: policy.NewBreaker(c, alone), open: c.Open}
	g.closed.Store(true)
	return g
}

// shut reports whether requests have to wait.
func (g *gate) shut() bool { return !g.closed.Load() }

// permit is the breaker's leave for one attempt. The zero value reports nothing.
type permit struct {
	gate *gate
	done func(classify.BreakerAction)
}

// allow takes a permit, or fails with errShut.
func (g *gate) allow() (permit, error) {
	done, err := g.breaker.Allow()
	if err != nil {
		g.closed.Store(false)
		return permit{}, errShut
	}
	return permit{gate: g, done: done}, nil
}

// pass is the permit of a request that needs none.
func (g *gate) pass() permit { return permit{gate: g, done: g.breaker.Note} }

// report tells how the attempt went. Calls after the first do nothing.
func (p permit) report(a classify.BreakerAction) {
	if p.done == nil {
		return
	}
	p.done(a)
	if p.gate.shut() {
		p.gate.kick()
	}
}

// Calls that had been under way for longTime and are lost within lossTime of each other are
// one failure: a connection or an instance went away, and with it all that it carried. That
// says little about the next call.
const (
	longTime = time.Second
	lossTime = time.Second
)

// lost reports whether a call that broke off is a failure of its own.
func (g *gate) lost(began, now time.Time) bool {
	if now.Sub(began) < longTime {
		return true
	}
	last := g.lastLoss.Load()
	return now.UnixNano()-last >= int64(lossTime) && g.lastLoss.CompareAndSwap(last, now.UnixNano())
}

// fail enters a failure that came after the permit was reported on: a stream broke.
func (g *gate) fail() { g.breaker.Fail() }
