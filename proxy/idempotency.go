package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/maphash"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy/store"
)

// idempotency is what the step keeps between requests: the store, and the calls with
// a key that run in this process. Safe for concurrent use.
type idempotency struct {
	store   store.Store
	secret  [32]byte // for keys while the store tells none
	owners  maphash.Seed
	scope   []string // see scopeHeaders
	log     *slog.Logger
	results *prometheus.CounterVec
	reach   outage // the store cannot be reached
	room    outage // it cannot store answers

	mu      sync.Mutex
	flights map[store.Key]*flight
}

func newIdempotency(c Config, log *slog.Logger) (*idempotency, error) {
	opened, err := store.Open(c.Store)
	if err != nil {
		return nil, err
	}
	s := &idempotency{
		store: opened, owners: maphash.MakeSeed(), scope: scopeHeaders(c.Upstreams), log: log, flights: map[store.Key]*flight{},
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrigger_idempotency_total", Help: "What became of calls with a key, and of abandoned ones.",
		}, []string{"result"}),
	}
	_, _ = rand.Read(s.secret[:]) // never fails: crypto/rand
	return s, nil
}

// enter returns the flight of a call's key, or a new one that its caller has to
// decide on.
func (s *idempotency) enter(call store.Call) (*flight, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.flights[call.Key]; f != nil {
		return f, false
	}
	f := newFlight(call)
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

func (s *idempotency) running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.flights)
}

// once answers a call that carries its caller's own key: from the store, with the
// answer of the same call that is under way, or by making it.
func (p *Proxy) once(w http.ResponseWriter, r *http.Request, x *exchange) error {
	secret, down := p.idempotency.hashKey(x.ctx)
	call := x.call(r, secret)
	for {
		f, first := p.idempotency.enter(call)
		if first {
			p.decide(r, x, f, down)
			return p.carry(w, x, f, true)
		}
		if err := f.wait(x.ctx); err != nil {
			return x.inUse(err, f)
		}
		same := f.asked.Print == call.Print
		switch {
		case f.err != nil, f.claim.State == store.Mismatch && !same:
			continue // that says nothing about this call
		case !same:
			return p.reused(x)
		}
		if err := p.carry(w, x, f, false); !errors.Is(err, errAgain) {
			return err
		}
	}
}

// decide finds out what is to become of a new flight: it is made, or not.
func (p *Proxy) decide(r *http.Request, x *exchange, f *flight, down error) {
	s := p.idempotency
	defer close(f.decided)
	f.err = down
	if down == nil {
		f.claim, f.err = s.store.Begin(x.ctx, f.asked)
	}
	if f.err == nil && f.claim.State == store.Running { // in another process
		f.claim, f.err = s.store.Wait(x.ctx, f.asked)
	}
	noRoom := errors.Is(f.err, store.ErrFull)
	switch {
	case f.err == nil:
		if s.reach.over() {
			s.log.Info("the idempotency store answers again")
		}
	case x.ctx.Err() != nil:
		f.err = context.Cause(x.ctx)
	case noRoom:
		s.full(f.err)
	case s.reach.begin():
		s.log.Warn("the idempotency store does not answer: calls with a key are not stored, and creates refused", slog.String("error", f.err.Error()))
	}
	switch {
	case f.err == nil && f.claim.State == store.Claimed:
	case f.err != nil && (!f.asked.Create || noRoom) && x.ctx.Err() == nil:
		// It is worth more than its storing. Of a create, a store that is full has at
		// least said that nothing was known of it.
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
		return p.result(x, resultRefused, fail("idempotency_store_unavailable",
			"The store of idempotent answers does not answer, so nobody can tell whether this call was made before, and making it twice could create twice. "+
				"Nothing was sent. Send it again."))
	case f.claim.State == store.Done:
		p.replay(w, x, f.claim.Answer)
		return nil
	case f.claim.State == store.Unknown:
		return p.result(x, resultUnknown, unknown(f.claim))
	}
	return p.reused(x)
}

// reused refuses a key that belongs to another call.
func (p *Proxy) reused(x *exchange) error {
	return p.result(x, resultReused, fail("idempotency_key_reused",
		"This Idempotency-Key was used for another request: the method, path, query or body differs. Use a new key for a new request."))
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
