package idempotency

import (
	"errors"
	"net/http"
	"slices"
	"sync"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/recording"
	"outrigger/proxy/wire"
)

// abandoned are the calls without a key whose callers left and that go on for
// OUTRIGGER_REJOIN, so that the callers' own retries can join them. No SDK sends an
// Idempotency-Key by itself, but each says of a retry that it is one
// (X-Stainless-Retry-Count). Nothing else joins: two equal calls of one app are two.
// Safe for concurrent use.
type abandoned struct {
	detached *detached // bounds them

	mu    sync.Mutex
	calls map[claims.Call][]*Flight // the longest abandoned first
	n     int
	over  bool // a drain has begun: nobody can come back
}

// Rejoinable makes a call without a key in such a way that it can go on when its
// caller leaves; or, for the retry of such a call, gives it the answer.
func (s *Calls) Rejoinable(w http.ResponseWriter, r *http.Request, x *Caller) error {
	call := x.name(s.names, r).under(s.names.Secret)
	for isRetry(r.Header) {
		f, seat := s.Abandoned.take(call)
		if f == nil {
			break
		}
		f.sit()
		x.Hurry(r.Header)
		if err := s.deliver(w, x, f, seat, false); !errors.Is(err, errAgain) {
			return err
		}
	}
	f := newFlight(call)
	s.launch(r, x, f)
	return s.attend(w, x, f, true)
}

// isRetry reports whether an SDK says that the request is a retry of its own.
func isRetry(h http.Header) bool {
	n := h.Get("X-Stainless-Retry-Count")
	return n != "" && n != "0"
}

// abandon leaves f to the retry that may come, or ends it. Locked: f.mu.
func (s *Calls) abandon(f *Flight, delivered bool) {
	stays := !delivered && f.promising()
	if stays && !s.Abandoned.put(f) {
		stays = false
		if !s.inflight.Begun.Load() {
			s.count(resultCrowded)
		}
	}
	if !stays {
		f.life.Cancel(errUnclaimed)
		f.Answer.Close()
		return
	}
	s.count(resultAbandoned)
	f.expire(s.Settings.Rejoin, func() {
		if s.Abandoned.drop(f) {
			s.count(resultUnclaimed)
			f.life.Cancel(errUnclaimed)
			f.Answer.Close()
		}
	})
}

// promising reports whether a retry of f's call can come and is better off with its
// answer. No SDK sends again a stream that has begun: who leaves that has had enough.
// And after a failure a fresh call may do better, but for that of a create that may have
// been carried out. Locked: f.mu.
func (f *Flight) promising() bool {
	status, header, _, kept := f.Answer.Answer()
	switch {
	case !kept, wire.MediaType(header) == "text/event-stream" && f.begun:
		return false
	case f.over:
		return f.whole && (wire.IsSuccess(status) || f.create && f.ended.MayBeDone(status))
	}
	return true
}

// keeps reports whether the answer of f, whose call is over, may still be read by
// somebody who comes later.
func (a *abandoned) keeps(f *Flight) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.rejoin:
		return false
	case f.inside > 0:
		return true // depart decides
	case !f.promising():
		a.drop(f)
		return false
	}
	return a.has(f)
}

// put keeps f for a retry to join. It reports whether there was room, and no drain.
func (a *abandoned) put(f *Flight) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over || !a.detached.enter(&f.apart) {
		return false
	}
	a.calls[f.asked] = append(a.calls[f.asked], f)
	a.n++
	return true
}

// take takes out the call that was abandoned the longest ago, with a reader of its
// answer, or returns nil. A call that ends at this moment, and finds itself neither
// waited for nor here, lets go of its answer: by then it has a reader.
func (a *abandoned) take(call claims.Call) (*Flight, *recording.Reader) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for waiting := a.calls[call]; len(waiting) > 0; waiting = a.calls[call] {
		a.remove(call, 0)
		if reader := waiting[0].Answer.Reader(); reader != nil {
			return waiting[0], reader
		}
		waiting[0].life.Cancel(errUnclaimed) // its answer can be given to nobody any more
	}
	return nil, nil
}

// drop takes f out, and reports whether it was in.
func (a *abandoned) drop(f *Flight) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.calls[f.asked], f)
	if i < 0 {
		return false
	}
	a.remove(f.asked, i)
	return true
}

func (a *abandoned) has(f *Flight) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.calls[f.asked], f)
}

// remove takes out the i-th of the equal calls. Locked.
func (a *abandoned) remove(call claims.Call, i int) {
	a.n--
	a.detached.leave(&a.calls[call][i].apart)
	left := slices.Delete(slices.Clone(a.calls[call]), i, i+1)
	if len(left) == 0 {
		delete(a.calls, call)
		return
	}
	a.calls[call] = left
}

// end ends all abandoned calls: nobody can come back for them any more.
func (a *abandoned) end() {
	a.mu.Lock()
	all := a.calls
	a.calls, a.n, a.over = map[claims.Call][]*Flight{}, 0, true
	a.mu.Unlock()
	for _, flights := range all {
		for _, f := range flights {
			a.detached.leave(&f.apart)
			f.life.Cancel(errUnclaimed)
			f.Answer.Close()
		}
	}
}

// Count is how many calls wait for a retry to join them.
func (a *abandoned) Count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}
