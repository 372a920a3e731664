package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store"
)

// idempotency is what the step keeps between requests: the store, and the calls with
// a key that run in this process. Safe for concurrent use.
type idempotency struct {
	store   claims.Store
	secret  [32]byte // names flights: the store's can change while one is under way
	log     *slog.Logger
	results *prometheus.CounterVec
	reach   outage // the store cannot be reached
	room    outage // it cannot store answers

	mu      sync.Mutex
	flights map[claims.Key]*flight
}

func newIdempotency(c Config, log *slog.Logger, room claims.Room) (*idempotency, error) {
	opened, err := store.Open(c.Store, log, room)
	if err != nil {
		return nil, err
	}
	s := &idempotency{
		store: opened, log: log, flights: map[claims.Key]*flight{},
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrigger_idempotency_total", Help: "What became of calls with a key, and of abandoned ones.",
		}, []string{"result"}),
	}
	_, _ = rand.Read(s.secret[:]) // never fails: crypto/rand
	if c.Store.Spec.Remote() {
		go s.greet()
	}
	return s, nil
}

// enter returns the flight of a call's key, or a new one that its caller has to
// decide on.
func (s *idempotency) enter(call claims.Call) (*flight, bool) {
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
func (s *idempotency) leave(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[f.asked.Key] == f {
		delete(s.flights, f.asked.Key)
	}
}

// done says that one of those that enter returned f to has no more use for it.
func (s *idempotency) done(f *flight) {
	s.mu.Lock()
	f.users--
	last := f.users == 0
	s.mu.Unlock()
	if last { // it is decided on
		f.claim.Free()
	}
}

func (s *idempotency) running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.flights)
}

// once answers a call that carries its caller's own key: from the store, with the
// answer of the same call that is under way, or by making it.
func (p *Proxy) once(w http.ResponseWriter, r *http.Request, x *exchange) error {
	name := x.name(r)
	call := name.under(p.idempotency.secret)
	for {
		if err := p.onceBy(w, r, x, name, call); !errors.Is(err, errAgain) {
			return err
		}
	}
}

// onceBy answers a call by the flight of its key. The error is errAgain when that says
// nothing about this call.
func (p *Proxy) onceBy(w http.ResponseWriter, r *http.Request, x *exchange, name name, call claims.Call) error {
	f, first := p.idempotency.enter(call)
	defer p.idempotency.done(f)
	if first {
		p.decide(r, x, f, name)
		return p.carry(w, x, f, true)
	}
	if err := f.wait(x.ctx); err != nil {
		return x.inUse(err, f)
	}
	same := f.asked.Print == call.Print
	switch {
	case f.err != nil, f.claim.State == claims.Mismatch && !same:
		return errAgain
	case !same:
		return p.reused(x)
	}
	return p.carry(w, x, f, false)
}

// decide finds out what is to become of a new flight: it is made, or not.
func (p *Proxy) decide(r *http.Request, x *exchange, f *flight, name name) {
	s := p.idempotency
	defer close(f.decided)
	var secret [32]byte
	secret, f.err = s.store.HashKey(x.ctx)
	if f.err == nil {
		f.claim, f.err = s.store.Begin(x.ctx, name.under(secret))
	}
	if f.err == nil && f.claim.State == claims.Running { // in another process
		f.claim, f.err = s.store.Wait(x.ctx, name.under(secret))
	}
	noRoom := errors.Is(f.err, claims.ErrFull)
	switch {
	case f.err == nil:
		if s.reach.over() {
			s.log.Info("the idempotency store answers again")
		}
	case x.ctx.Err() != nil:
		f.err = context.Cause(x.ctx)
	case noRoom:
		s.full(f.err)
	case errors.Is(f.err, claims.ErrMemory): // the store is well
	case s.reach.begin():
		s.log.Warn(toldAway, slog.String("error", f.err.Error()))
	}
	switch {
	case f.err == nil && f.claim.State == claims.Claimed:
	case f.err != nil && !f.asked.Create && x.ctx.Err() == nil:
		// It is worth more than its storing. A create is not: without its claim, the next
		// one with its key runs too, here or at another sidecar.
		f.unstored = true
	default:
		s.leave(f)
		return
	}
	f.err = nil
	p.launch(r, x, f)
}

// carry gives the caller what its flight brings.
func (p *Proxy) carry(w http.ResponseWriter, x *exchange, f *flight, first bool) error {
	switch {
	case f.answer != nil:
		return p.attend(w, x, f, first)
	case f.err != nil && x.ctx.Err() != nil:
		return x.inUse(f.err, f)
	case f.err != nil:
		return p.result(x, resultRefused, refusedCreate(f.err))
	case f.claim.State == claims.Done:
		p.replay(w, x, f.claim.Answer)
		return nil
	case f.claim.State == claims.Unknown:
		return p.result(x, resultUnknown, unknown(f.claim))
	}
	return p.reused(x)
}

// reused refuses a key that belongs to another call.
func (p *Proxy) reused(x *exchange) error {
	return p.result(x, resultReused, fail("idempotency_key_reused",
		"This Idempotency-Key was used for another request: the method, path, query, body or a header differs. Use a new key for a new request."))
}

// result counts and notes what became of the request, and passes err on.
func (p *Proxy) result(x *exchange, result string, err error) error {
	x.record.idempotency = result
	p.idempotency.count(result)
	return err
}

func (s *idempotency) count(result string) { s.results.WithLabelValues(result).Inc() }

// full tells the log, once, that there is no room.
func (s *idempotency) full(err error) {
	if s.room.begin() {
		s.log.Warn(toldFull, slog.String("error", err.Error()))
	}
}

// outage is told to the log at its beginning and its end.
type outage struct{ on atomic.Bool }

// begin reports whether it has just begun.
func (o *outage) begin() bool { return !o.on.Swap(true) }

// over reports whether it has just ended.
func (o *outage) over() bool { return o.on.Load() && o.on.Swap(false) }
