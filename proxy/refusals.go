package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// refusals is what became of the attempts of one credential and model. The zero value has
// seen none. Safe for concurrent use.
type refusals struct {
	running atomic.Int32 // attempts under way, streams included
	passed  atomic.Int64 // first attempts that succeeded
	refused atomic.Int64 // and that did not
	fresh   atomic.Int32 // requests in the queue that were not refused yet

	// In Unix nanoseconds:
	lastFresh    atomic.Int64 // when one that was not refused yet was sent last
	freshRefused atomic.Int64 // when one was refused for the first time last
	lastPassed   atomic.Int64 // when the success that was sent last was sent

	any    atomic.Bool // the fast path: there is no streak
	mu     sync.Mutex
	streak policy.Streak
	answer *saved // the latest refusal of the streak
}

// pass takes in a success of an attempt that was sent at a time, the first or not.
func (r *refusals) pass(sent time.Time, first bool) {
	if first {
		r.passed.Add(1)
	}
	for at := sent.UnixNano(); ; {
		before := r.lastPassed.Load()
		if before >= at || r.lastPassed.CompareAndSwap(before, at) {
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

// refuse takes in a refusal that names a wait, and reports whether they are not likely to clear.
func (r *refusals) refuse(now time.Time, wait time.Duration, long bool, answer *saved) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.any.Store(true)
	r.streak.Refused(now, wait, long)
	if answer != nil {
		r.answer = answer
	}
	// A call that runs was accepted: what refuses the others is a limit to how many may.
	return r.streak.Lasts() && r.running.Load() <= 1
}

// suspect returns the latest refusal, if there is a streak that explains a wait in vain.
func (r *refusals) suspect(now time.Time) *saved {
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
func (r *refusals) lasts(now time.Time) bool {
	if !r.any.Load() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.streak.MayGoOn(now)
}

// size is how many bytes the refusal that is kept takes.
func (r *refusals) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answer.size()
}

// since returns when the streak began and how many refusals it has.
func (r *refusals) since() (time.Time, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.streak.Since()
}

// begins notes that an attempt is about to be sent.
func (x *Run) begins(a *attempt) {
	known := &x.lease.line.refusals
	known.running.Add(1)
	if x.setbacks.own == 0 {
		known.lastFresh.Store(a.started.UnixNano())
	}
}

// setbacks is what an exchange remembers of its refusals at one upstream.
type setbacks struct {
	confirming bool      // the next attempt is to confirm a refused credential
	confirms   int       // how many were
	accused    time.Time // when its credential was refused last
	loading    time.Time // when it may ask again whether its model is ready

	unproven     bool      // the last one proves nothing of the rate
	refused      time.Time // the last one that does not
	alone        int       // how many of those had others pass in between, and the first
	own          int64     // how many there were
	otherPassed  int64     // the line's counts at the first one
	otherRefused int64
}

// weigh looks at an attempt together with those before it and of others, and may turn the
// decision on it alone into another one.
func (x *Run) weigh(a *attempt, d policy.Decision) policy.Decision {
	now := time.Now()
	x.learnLoading(a, now)
	switch {
	case x.setbacks.confirming:
		x.setbacks.confirming = false
		return policy.Decision{Action: policy.Wait, Delay: x.confirmPause(), Reason: policy.ReasonConfirm}
	case a.resp == nil, a.crowded:
	case a.verdict.Outcome == classify.OutcomeOK:
		x.passed(a, now)
	case a.verdict.Outcome == classify.OutcomeRateLimited:
		return x.refused(a, d, now)
	}
	return d
}

// remember returns a's answer for others than its caller, or nil when it did not arrive whole.
// Its headers are a copy: the relay changes those that its caller gets.
func (x *Run) remember(a *attempt) *saved {
	s := a.save()
	if s == nil {
		return nil
	}
	kept := *s
	kept.header = s.header.Clone()
	kept.caller = x.callerOf(&x.facing)
	return &kept
}

// passed takes in a success.
func (x *Run) passed(a *attempt, now time.Time) {
	x.up.worked.Succeeded(now, x.payerKey(classify.Credential))
	x.up.worked.Succeeded(now, x.payerKey(classify.Model))
	x.place.line.refusals.pass(a.started, x.setbacks.own == 0)
}
