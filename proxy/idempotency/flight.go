package idempotency

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/recording"
	"outrigger/proxy/observe"
)

// Flight is a call that is made apart from its callers: it goes on when they leave,
// and any number of them is given its answer. The one who made it decides whether it
// is launched; then it runs in a goroutine of its own, with an exchange of its own.
type Flight struct {
	asked   claims.Call
	decided chan struct{} // closed once the fields below are set

	claim    claims.Claim
	err      error                // why nothing is known of the call
	unstored bool                 // it is made without the store
	Answer   *recording.Recording // nil unless it is launched
	call     Execution            // what makes the call
	life     *call.Life           // its
	ended    Ended                // how it ended; to be read when it is over only
	rejoin   bool                 // it has no key, and a retry of it may join it
	create   bool                 // doing it twice could create twice
	start    time.Time
	tries    atomic.Int32      // attempts so far
	apart    attachment        // its part of the calls that go on without a caller
	seat     *recording.Reader // of the caller that it is made for
	users    int               // that have to do with it; guarded by Calls.mu
	audience
}

// audience are the callers of a flight, and what they are to find at its end.
type audience struct {
	mu     sync.Mutex
	first  *Caller     // the caller it is made for; nil when it left before the end
	inside int         // callers that wait for it or read
	begun  bool        // something of its answer was passed on
	over   bool        // the call has ended
	whole  bool        // it ended with a whole answer
	timer  *time.Timer // ends the call when nobody waits for it any more
	result string      // what became of it; set at its end
}

// newFlight returns a flight of a call, which nobody has decided on.
func newFlight(asked claims.Call) *Flight {
	return &Flight{asked: asked, decided: make(chan struct{})}
}

// wait waits until the flight is decided on, or returns the cause of ctx's end.
func (f *Flight) wait(ctx context.Context) error {
	select {
	case <-f.decided:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Attempted counts an attempt. There need be no flight.
func (f *Flight) Attempted() {
	if f != nil {
		f.tries.Add(1)
	}
}

// attempts is how many were made so far for x: a caller that only waits made none.
func (f *Flight) attempts(x *Caller) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first != x {
		return 0
	}
	return int(f.tries.Load())
}

// Execution makes one call, apart from its caller.
type Execution interface {
	// Life bounds it.
	Life() *call.Life
	// Serve makes the call and returns when its answer is over.
	Serve(r *http.Request)
	// Ended tells how it ended.
	Ended() Ended
	// Close gives back all that it holds.
	Close()
	// Alone records its end, when the caller that it was made for has left.
	Alone(idempotency string)
}

// Ended is how a call ended.
type Ended struct {
	Broken   bool // its answer broke off, or was given up
	Failed   bool // it ended with an error of the upstream's
	Upstream bool // its answer is the upstream's
	Local    bool // its answer is Outrigger's own
	// MayBeDone reports whether a create may have been carried out whose answer has a status
	// and is not whole.
	MayBeDone func(status int) bool
}

// launch makes the call of x as flight f, with a life of its own, which no caller's leaving
// ends.
func (s *Calls) launch(r *http.Request, x *Caller, f *Flight) {
	f.apart = attachment{in: s.Detached, owner: f.asked.Owner, bytes: min(max(x.Size, 0), s.Settings.BodyMemory)}
	f.Answer = recording.New(&f.apart, s.Settings.Store.Largest())
	f.rejoin, f.create, f.start, f.first = x.Identity.Rejoin, x.IsCreate(), x.Start, x
	f.call = x.Launch(r, f)
	f.life = f.call.Life()
	f.seat = f.enter() // before the call can have ended
	s.inflight.Replace(x.Life, f.life)
	if cause := context.Cause(x.Ctx); errors.Is(cause, apierror.ErrDraining) {
		f.life.Cancel(cause)
	}
	out := r.WithContext(f.life.Ctx)
	out.Body = http.NoBody // it was read; the attempts have their own
	go s.fly(f, out)
}

// fly makes the call and lands it.
func (s *Calls) fly(f *Flight, r *http.Request) {
	whole := false
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			observe.Survived(s.recorder, "call", v)
		}
		s.land(f, whole)
	}()
	f.call.Serve(r)
	whole = !f.call.Ended().Broken
}

// land ends the flight. What its callers see last is its end: by then it is stored,
// and no later caller can be taken in by a call that failed.
func (s *Calls) land(f *Flight, whole bool) {
	f.ended = f.call.Ended()
	result := s.settle(f, whole)
	first := s.finish(f, result, whole)
	f.call.Close()
	if first == nil {
		f.call.Alone(result)
	}
	f.Answer.End(whole)
	if !s.Abandoned.keeps(f) {
		f.Answer.Close()
	}
	if first == nil {
		s.inflight.Remove(f.life)
	}
}

// finish notes the end, and returns the caller that the call was made for, if it is
// still there.
func (s *Calls) finish(f *Flight, result string, whole bool) *Caller {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over, f.whole, f.result = true, whole, result
	if f.timer != nil && !f.rejoin { // an abandoned answer goes on waiting
		f.timer.Stop()
	}
	if !f.rejoin {
		s.Detached.leave(&f.apart)
	}
	if f.first == nil {
		return nil
	}
	s.inflight.Replace(f.life, f.first.Life) // its answer is still on its way
	return f.first
}

// Withhold keeps what is written of the answer from now on from its callers until it
// is stored: it is its end. There need be no flight.
func (f *Flight) Withhold() {
	if f != nil {
		f.Answer.Withhold()
	}
}
