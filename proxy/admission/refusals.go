package admission

import (
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/response"
)

// Refusals is what became of the attempts of one credential and model. The zero value has
// seen none. Safe for concurrent use.
type Refusals struct {
	Running atomic.Int32 // attempts under way, streams included
	Passed  atomic.Int64 // first attempts that succeeded
	Refused atomic.Int64 // and that did not
	Fresh   atomic.Int32 // requests in the queue that were not refused yet

	// In Unix nanoseconds:
	LastFresh    atomic.Int64 // when one that was not refused yet was sent last
	FreshRefused atomic.Int64 // when one was refused for the first time last
	LastPassed   atomic.Int64 // when the success that was sent last was sent

	any    atomic.Bool // the fast path: there is no streak
	mu     sync.Mutex
	streak policy.Streak
	answer *response.Buffered // the latest refusal of the streak
}

// Pass takes in a success of an attempt that was sent at a time, the first or not.
func (r *Refusals) Pass(sent time.Time, first bool) {
	if first {
		r.Passed.Add(1)
	}
	for at := sent.UnixNano(); ; {
		before := r.LastPassed.Load()
		if before >= at || r.LastPassed.CompareAndSwap(before, at) {
			break
		}
	}
	if !r.any.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streak.Succeeded(sent)
	if _, n := r.streak.Since(); n == 0 {
		r.any.Store(false)
		r.answer = nil
	}
}

// Refuse takes in a refusal that names a wait, and reports whether they are not likely to clear.
func (r *Refusals) Refuse(now time.Time, wait time.Duration, long bool, answer *response.Buffered) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.any.Store(true)
	r.streak.Refused(now, wait, long)
	if answer != nil {
		r.answer = answer
	}
	// A call that runs was accepted: what refuses the others is a limit to how many may.
	return r.streak.Lasts() && r.Running.Load() <= 1
}

// Suspect returns the latest refusal, if there is a streak that explains a wait in vain.
func (r *Refusals) Suspect(now time.Time) *response.Buffered {
	if !r.any.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.streak.Suspect(now) {
		return nil
	}
	return r.answer
}

// lasts reports whether there is a streak that may go on.
func (r *Refusals) lasts(now time.Time) bool {
	if !r.any.Load() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.streak.MayGoOn(now)
}

// size is how many bytes the refusal that is kept takes.
func (r *Refusals) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answer.Size()
}

// Since returns when the streak began and how many refusals it has.
func (r *Refusals) Since() (time.Time, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.streak.Since()
}

// Dismiss lets all go that wait in the queue.
func (ln *Queue) Dismiss(now time.Time) {
	ts := ln.lock()
	defer ts.mu.Unlock()
	ts.limiter.Dismiss(now, func(w *limit.Waiter) bool { return w.Tag.(*Ticket).Queue == ln }, func(w *limit.Waiter, d limit.Decision) {
		pl := w.Tag.(*Ticket)
		pl.TurnedAway = d
		close(pl.ready)
	})
	ts.release(now)
}
