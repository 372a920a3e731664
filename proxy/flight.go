package proxy

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/recording"
)

// flight is a call that is made apart from its callers: it goes on when they leave,
// and any number of them is given its answer. The one who made it decides whether it
// is launched; then it runs in a goroutine of its own, with an exchange of its own.
type flight struct {
	asked   claims.Call
	decided chan struct{} // closed once the fields below are set

	claim    claims.Claim
	err      error                // why nothing is known of the call
	unstored bool                 // it is made without the store
	answer   *recording.Recording // nil unless it is launched
	call     *exchange            // what makes the call; its record is to be read at its end only
	tries    atomic.Int32         // attempts so far
	apart    attachment           // its part of the calls that go on without a caller
	seat     *recording.Reader    // of the caller that it is made for
	users    int                  // that have to do with it; guarded by idempotency.mu

	mu     sync.Mutex
	first  *exchange // the caller it is made for; nil when it left before the end
	inside int       // callers that wait for it or read
	begun  bool      // something of its answer was passed on
	over   bool
	whole  bool        // it ended with a whole answer
	timer  *time.Timer // ends the call when nobody waits for it any more
	result string      // what became of it; set at its end
}

func newFlight(asked claims.Call) *flight {
	return &flight{asked: asked, decided: make(chan struct{})}
}

// wait waits until the flight is decided on, or returns the cause of ctx's end.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.decided:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tried counts an attempt. There need be no flight.
func (f *flight) tried() {
	if f != nil {
		f.tries.Add(1)
	}
}

// attempts is how many were made so far for x: a caller that only waits made none.
func (f *flight) attempts(x *exchange) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first != x {
		return 0
	}
	return int(f.tries.Load())
}

// launch makes the call of x as flight f. The exchange that makes it is a copy of x
// with a context of its own, which no caller's leaving ends.
func (p *Proxy) launch(r *http.Request, x *exchange, f *flight) {
	c := *x
	c.flight, c.intake, c.place = f, intake{}, &c.first
	x.body = nil // it is c's now
	f.apart = attachment{in: p.detached, owner: f.asked.Owner, bytes: min(max(x.size, 0), int64(p.config.Bodies.BodyMemory))}
	f.answer = recording.New(&f.apart, p.config.Store.Largest())
	f.call, f.first = &c, x
	f.seat = f.enter() // before the call can have ended
	c.w = f.answer
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	c.ctx, c.cancel = context.WithValue(ctx, exchangeKey{}, &c), cancel
	c.setFlightDeadline(x, r.Header)

	p.mu.Lock()
	delete(p.active, x) // the call stands for both
	p.active[&c] = struct{}{}
	if cause := context.Cause(x.ctx); errors.Is(cause, errDraining) {
		cancel(cause)
	}
	p.mu.Unlock()
	out := r.WithContext(c.ctx)
	out.Body = http.NoBody // it was read; the attempts have their own
	go p.fly(f, out)
}

// fly makes the call and lands it.
func (p *Proxy) fly(f *flight, r *http.Request) {
	whole := false
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			p.survived("call", v)
		}
		p.land(f, whole)
	}()
	p.relay.ServeHTTP(f.answer, r)
	o := f.call.record.outcome
	whole = o != outcomeInterrupted && o != outcomeCanceled
}

// land ends the flight. What its callers see last is its end: by then it is stored,
// and no later caller can be taken in by a call that failed.
func (p *Proxy) land(f *flight, whole bool) {
	c := f.call
	result := p.settle(f, whole)
	first := f.finish(p, result, whole)
	c.close()
	if first == nil {
		p.metrics.used(c)
		p.logAlone(f)
	}
	f.answer.End(whole)
	if !p.abandoned.keeps(f) {
		f.answer.Close()
	}
	if first == nil {
		p.over(c)
	}
}

// finish notes the end, and returns the caller that the call was made for, if it is
// still there.
func (f *flight) finish(p *Proxy, result string, whole bool) *exchange {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over, f.whole, f.result = true, whole, result
	if f.timer != nil && !f.call.identity.rejoin { // an abandoned answer goes on waiting
		f.timer.Stop()
	}
	if !f.call.identity.rejoin {
		p.detached.leave(&f.apart)
	}
	if f.first == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.active, f.call)
	p.active[f.first] = struct{}{} // its answer is still on its way
	return f.first
}

// withhold keeps what is written of the answer from now on from its callers until it
// is stored: it is its end.
func (c *exchange) withhold() {
	if c.flight != nil {
		c.flight.answer.Withhold()
	}
}

// withholdEnd withholds what was read last if nothing follows it.
func (s *answer) withholdEnd() {
	if s.finished() {
		s.x.withhold()
	}
}

// logAlone writes the line of a call that ended when the caller it was made for had
// left. That one's own line said so.
func (p *Proxy) logAlone(f *flight) {
	f.call.record.idempotency, f.call.record.alone = f.result, true
	p.logRequest(f.call, time.Since(f.call.start))
}
