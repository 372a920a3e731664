package gate

import (
	"container/list"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/carrier"
)

// Gate is one upstream's breaker with the queue of those who wait at it. While it
// is open or half-open, one at a time is let out to try: at the breaker's probe
// time, and again each open period while a probe is still silent, so that a
// probe that hangs does not hold up the next. Once closed, the queue is let out
// by a ramp. Safe for concurrent use.
//
// Being let out is no permit: that is taken by Allow, just before the attempt,
// because the limiter stands in between and a permit that waits would hold up
// all others.
type Gate struct {
	Breaker *policy.Breaker // the rules: when to open, probe and close
	open    time.Duration   // under mu

	heard    atomic.Int64 // when a call came to it, if it is a scope's, in Unix nanoseconds
	lastLoss atomic.Int64 // of a long call, in Unix nanoseconds
	fault    atomic.Pointer[string]

	closed atomic.Bool // nobody waits and the breaker was not seen open: the fast path
	mu     sync.Mutex
	line   list.List // of *gateWaiter
	ramp   *policy.Ramp
	probed time.Time          // when the last one was let out to try
	prober carrier.Credential // whose that was
	timer  *time.Timer
}

// NewGate returns a closed gate. Alone says that no other upstream could answer.
func NewGate(c policy.BreakerConfig, alone bool) *Gate {
	g := &Gate{Breaker: policy.NewBreaker(c, alone), open: c.Open}
	g.closed.Store(true)
	return g
}

// Configure puts other settings into force, as NewGate takes them, and lets out who may go by
// them.
func (g *Gate) Configure(c policy.BreakerConfig, alone bool) {
	g.Breaker.Configure(c, alone)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = c.Open
	g.letOut(time.Now())
}

// Shut reports whether requests have to wait.
func (g *Gate) Shut() bool { return !g.closed.Load() }

// Permit is the breaker's leave for one attempt. The zero value reports nothing.
type Permit struct {
	Gate *Gate
	done func(classify.BreakerAction)
}

// Allow takes a permit, or fails with ErrShut.
func (g *Gate) Allow() (Permit, error) {
	done, err := g.Breaker.Allow()
	if err != nil {
		g.closed.Store(false)
		return Permit{}, ErrShut
	}
	return Permit{Gate: g, done: done}, nil
}

// Pass is the permit of a request that needs none.
func (g *Gate) Pass() Permit { return Permit{Gate: g, done: g.Breaker.Note} }

// Report tells how the attempt went. Calls after the first do nothing.
func (p Permit) Report(a classify.BreakerAction) {
	if p.done == nil {
		return
	}
	p.done(a)
	if p.Gate.Shut() {
		p.Gate.kick()
	}
}

// Calls that had been under way for longTime and are lost within lossTime of each other are
// one failure: a connection or an instance went away, and with it all that it carried. That
// says little about the next call.
const (
	longTime = time.Second
	lossTime = time.Second
)

// Lost reports whether a call that broke off is a failure of its own.
func (g *Gate) Lost(began, now time.Time) bool {
	if now.Sub(began) < longTime {
		return true
	}
	last := g.lastLoss.Load()
	return now.UnixNano()-last >= int64(lossTime) && g.lastLoss.CompareAndSwap(last, now.UnixNano())
}

// Blame notes how the latest failure looked, for when the breaker opens by it.
func (g *Gate) Blame(outcome string) { g.fault.Store(&outcome) }

// LastFault returns that, "" if there was none.
func (g *Gate) LastFault() string {
	if last := g.fault.Load(); last != nil {
		return *last
	}
	return ""
}

// Fail enters a failure that came after the permit was reported on: a stream broke.
func (g *Gate) Fail() { g.Breaker.Fail() }

// ErrShut says that the breaker lets nobody through.
var ErrShut = errors.New("the breaker is open")
