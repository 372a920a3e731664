package idempotency

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store"
	"outrigger/proxy/observe"
)

// Calls are the calls that are made apart from their callers: those with a key, each once,
// and those that go on when their callers leave. Safe for concurrent use.
type Calls struct {
	Settings CallSettings
	// Store keeps how calls with a key ended. Another may take its place while no call is under way.
	Store     claims.Store
	recorder  observe.Recorder
	names     *call.Namer
	inflight  *call.Inflight
	Detached  *detached
	Abandoned *abandoned
	Reach     outage       // the store cannot be reached
	room      outage       // it cannot store answers
	total     atomic.Int64 // CallSettings.Total, in force

	mu      sync.Mutex
	flights map[claims.Key]*Flight
}

// CallSettings say how calls are made apart from their callers.
type CallSettings struct {
	Store store.Config
	// Rejoin is how long a call without a key goes on when its caller leaves; 0 ends it at once.
	Rejoin time.Duration
	// Total bounds a call that goes on without a caller.
	Total time.Duration
	// BodyMemory is the most of a request's body that is in memory.
	BodyMemory int64
	// Memory is OUTRIGGER_MEMORY_MAX, and Descriptors how many the process may have; 0 is unknown.
	Memory      int64
	Descriptors int
}

// NewCalls opens the store. room is the memory that all requests share.
func NewCalls(c CallSettings, log *slog.Logger, recorder observe.Recorder, names *call.Namer, inflight *call.Inflight, room claims.Room) (*Calls, error) {
	opened, err := store.Open(c.Store, log, room)
	if err != nil {
		return nil, err
	}
	s := &Calls{
		Settings: c, Store: opened, recorder: recorder, names: names, inflight: inflight,
		Detached: newDetached(room, c.Memory, c.Descriptors), flights: map[claims.Key]*Flight{},
	}
	s.total.Store(int64(c.Total))
	s.Abandoned = &abandoned{detached: s.Detached, calls: map[claims.Call][]*Flight{}}
	if c.Store.Spec.Remote() {
		go s.greet()
	}
	return s, nil
}

// SetTotal puts another CallSettings.Total into force.
func (s *Calls) SetTotal(total time.Duration) { s.total.Store(int64(total)) }

// Drain ends the calls that wait for a retry: nobody can come back for them any more.
func (s *Calls) Drain() { s.Abandoned.end() }

// Close closes the store. All calls must have ended.
func (s *Calls) Close() error { return s.Store.Close() }

// enter returns the flight of a call's key, or a new one that its caller has to
// decide on.
func (s *Calls) enter(call claims.Call) (*Flight, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.flights[call.Key]; f != nil {
		f.users++
		return f, false
	}
	f := newFlight(call)
	f.users++
	s.flights[call.Key] = f
	return f, true
}

// leave takes a flight out: the next call with its key asks the store.
func (s *Calls) leave(f *Flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[f.asked.Key] == f {
		delete(s.flights, f.asked.Key)
	}
}

// done says that one of those that enter returned f to has no more use for it.
func (s *Calls) done(f *Flight) {
	s.mu.Lock()
	f.users--
	last := f.users == 0
	s.mu.Unlock()
	if last { // it is decided on
		f.claim.Free()
	}
}

// Running is how many calls with a key are being executed.
func (s *Calls) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.flights)
}

// Once answers a call that carries its caller's own key: from the store, with the
// answer of the same call that is under way, or by making it.
func (s *Calls) Once(w http.ResponseWriter, r *http.Request, x *Caller) error {
	name := x.name(s.names, r)
	call := name.under(s.names.Secret)
	for {
		if err := s.onceBy(w, r, x, name, call); !errors.Is(err, errAgain) {
			return err
		}
	}
}

// onceBy answers a call by the flight of its key. The error is errAgain when that says
// nothing about this call.
func (s *Calls) onceBy(w http.ResponseWriter, r *http.Request, x *Caller, name name, call claims.Call) error {
	f, first := s.enter(call)
	defer s.done(f)
	if first {
		s.decide(r, x, f, name)
		return s.carry(w, x, f, true)
	}
	if err := f.wait(x.Ctx); err != nil {
		return s.inUse(x, err, f)
	}
	same := f.asked.Print == call.Print
	switch {
	case f.err != nil, f.claim.State == claims.Mismatch && !same:
		return errAgain
	case !same:
		return s.reused(x)
	}
	return s.carry(w, x, f, false)
}

// decide finds out what is to become of a new flight: it is made, or not.
func (s *Calls) decide(r *http.Request, x *Caller, f *Flight, name name) {
	defer close(f.decided)
	var secret [32]byte
	secret, f.err = s.Store.HashKey(x.Ctx)
	if f.err == nil {
		f.claim, f.err = s.Store.Begin(x.Ctx, name.under(secret))
	}
	if f.err == nil && f.claim.State == claims.Running { // in another process
		f.claim, f.err = s.Store.Wait(x.Ctx, name.under(secret))
	}
	noRoom := errors.Is(f.err, claims.ErrFull)
	switch {
	case f.err == nil:
		if s.Reach.over() {
			s.changed(ofReach, slog.LevelInfo, "the idempotency store answers again")
		}
	case x.Ctx.Err() != nil:
		f.err = context.Cause(x.Ctx)
	case noRoom:
		s.full(f.err)
	case errors.Is(f.err, claims.ErrMemory): // the store is well
	case s.Reach.begin():
		s.changed(ofReach, slog.LevelWarn, toldAway, slog.String("error", f.err.Error()))
	}
	switch {
	case f.err == nil && f.claim.State == claims.Claimed:
	case f.err != nil && !f.asked.Create && x.Ctx.Err() == nil:
		// It is worth more than its storing. A create is not: without its claim, the next
		// one with its key runs too, here or at another sidecar.
		f.unstored = true
	default:
		s.leave(f)
		return
	}
	f.err = nil
	s.launch(r, x, f)
}

// carry gives the caller what its flight brings.
func (s *Calls) carry(w http.ResponseWriter, x *Caller, f *Flight, first bool) error {
	switch {
	case f.Answer != nil:
		return s.attend(w, x, f, first)
	case f.err != nil && x.Ctx.Err() != nil:
		return s.inUse(x, f.err, f)
	case f.err != nil:
		return s.result(x, resultRefused, refusedCreate(f.err))
	case f.claim.State == claims.Done:
		s.replay(w, x, f.claim.Answer)
		return nil
	case f.claim.State == claims.Unknown:
		return s.result(x, resultUnknown, unknown(f.claim))
	}
	return s.reused(x)
}

// reused refuses a key that belongs to another call.
func (s *Calls) reused(x *Caller) error {
	return s.result(x, resultReused, apierror.New(apierror.IdempotencyKeyReused,
		"This Idempotency-Key was used for another request: the method, path, query, body or a header differs. Use a new key for a new request."))
}

// result counts and notes what became of the request, and passes err on.
func (s *Calls) result(x *Caller, result string, err error) error {
	x.Record.Idempotency = result
	s.count(result)
	return err
}

func (s *Calls) count(result string) {
	s.recorder.Span("", observe.Moment(observe.SpanIdempotency, "", result))
}

// full tells the log, once, that there is no room.
func (s *Calls) full(err error) {
	if s.room.begin() {
		s.changed(ofRoom, slog.LevelWarn, toldFull, slog.String("error", err.Error()))
	}
}

// outage is told to the log at its beginning and its end.
type outage struct{ On atomic.Bool }

// begin reports whether it has just begun.
func (o *outage) begin() bool { return !o.On.Swap(true) }

// over reports whether it has just ended.
func (o *outage) over() bool { return o.On.Load() && o.On.Swap(false) }
