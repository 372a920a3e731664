package proxy

import (
	"time"
)

// Drain refuses every new request from now on.
func (p *Proxy) Drain() {
	p.inflight.Begin(time.Now())
	p.calls.Drain()
}

// Cancel ends all requests that still run, with cause.
func (p *Proxy) Cancel(cause error) { p.inflight.Cancel(cause) }

// Inflight is the number of requests that are on their way.
func (p *Proxy) Inflight() int { return p.inflight.Count() }

// TurnAway refuses all calls that wait and would, as far as can be told, not get their turn
// before until, when a drain ends: another instance may have room for them now. Later waits
// are refused in the same way. A drain calls it after Drain.
func (p *Proxy) TurnAway(until time.Time) {
	now := time.Now()
	p.inflight.TurnAway(until)
	for _, u := range p.gen().Upstreams {
		u.Queues.Close(now, until)
		u.Slots.Close(now, until)
	}
}
