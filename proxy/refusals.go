package proxy

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/limit"
)

// refusals is what became of the attempts of one credential and model. The zero value has
// seen none. Safe for concurrent use.
type refusals struct {
	running    atomic.Int32 // attempts under way, streams included
	passed     atomic.Int64 // successes
	refused    atomic.Int64
	lastPassed atomic.Int64 // when the success that was sent last was sent, in Unix nanoseconds

	any    atomic.Bool // the fast path: there is no streak
	mu     sync.Mutex
	streak policy.Streak
	answer *saved // the latest refusal of the streak
}

// pass takes in a success of an attempt that was sent at a time.
func (r *refusals) pass(sent time.Time) {
	r.passed.Add(1)
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
	r.refused.Add(1)
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

// since returns when the streak began and how many refusals it has.
func (r *refusals) since() (time.Time, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.streak.Since()
}

// setbacks is what an exchange remembers of its refusals at one upstream.
type setbacks struct {
	confirming bool      // the next attempt is to confirm a refused credential
	confirmed  bool      // it was made
	loading    time.Time // when it may ask again whether its model is ready

	refused      time.Time // its last refusal that named no wait
	alone        int       // how many of those had others pass in between, and the first
	own          int64     // how many there were
	otherPassed  int64     // the line's counts at the first one
	otherRefused int64
}

// weigh looks at an attempt together with those before it and of others, and may turn the
// decision on it alone into another one.
func (x *exchange) weigh(a *attempt, d policy.Decision) policy.Decision {
	now := time.Now()
	x.learnLoading(a, now)
	switch {
	case x.setbacks.confirming:
		x.setbacks.confirming = false
		return policy.Decision{Action: policy.Wait, Delay: x.p.config.Retry.Backoff(0, x.p.random()), Reason: policy.ReasonConfirm}
	case a.resp == nil:
	case a.verdict.Outcome == classify.OutcomeOK:
		x.passed(a, now)
	case a.verdict.Outcome == classify.OutcomeRateLimited && a.verdict.Limit.Dimension != "concurrency":
		return x.refused(a, d, now)
	}
	return d
}

// passed takes in a success.
func (x *exchange) passed(a *attempt, now time.Time) {
	x.up.worked.Succeeded(now, x.tripKey(classify.Credential))
	x.up.worked.Succeeded(now, x.tripKey(classify.Model))
	x.place.line.refusals.pass(a.started)
}

// refused takes in a refusal for the rate. One that is likely never to clear, or that concerns
// this request alone, is its answer.
func (x *exchange) refused(a *attempt, d policy.Decision, now time.Time) policy.Decision {
	wait := a.verdict.Wait
	if !a.verdict.Until.IsZero() {
		wait = max(wait, a.verdict.Until.Sub(now))
	}
	long := wait > x.p.config.Retry.AfterMax
	passes := wait > 0 && !long
	known := &x.place.line.refusals
	alone := !passes && x.isAlone(known, now)
	answer := a.save()
	lasts := known.refuse(now, wait, long, answer) || x.probe && x.streakProbe && !passes
	switch {
	case lasts && answer != nil && x.p.config.TripCooldown > 0:
		x.startStreak(answer, now)
	case x.probe && x.streakProbe: // it names a wait now, like any rate limit
		x.up.trips.trips.Clear(x.probeKey)
		x.probe = false
		return d
	case alone && d.Action == policy.Line:
		x.place.leave(now)
		return policy.Decision{Action: policy.Return, Reason: policy.ReasonAlone}
	default:
		return d
	}
	x.place.leave(now)
	return policy.Decision{Action: policy.Return, Reason: policy.ReasonStreak}
}

// isOutrun reports whether others passed since the request was last refused, and none of
// them was refused: what refuses it is no limit of theirs.
func (x *exchange) isOutrun() bool {
	s, known := &x.setbacks, &x.place.line.refusals
	return s.alone > 0 && known.lastPassed.Load() > s.refused.UnixNano() && known.refused.Load() == s.otherRefused+s.own
}

// isAlone reports whether the request is refused again and again while others pass.
func (x *exchange) isAlone(known *refusals, now time.Time) bool {
	s := &x.setbacks
	passed, refused := known.passed.Load(), known.refused.Load()
	switch {
	case s.alone == 0:
		s.alone, s.otherPassed, s.otherRefused = 1, passed, refused
	case known.lastPassed.Load() > s.refused.UnixNano():
		s.alone++
	}
	s.refused = now
	others := refused - s.otherRefused - s.own
	s.own++
	return policy.Alone(s.alone, int(passed-s.otherPassed), int(others))
}

// startStreak remembers a refusal that is not likely to clear for the credential and model,
// and lets those go that wait in their line: they are answered from memory.
func (x *exchange) startStreak(answer *saved, now time.Time) {
	key := x.tripKey(classify.Model)
	known := x.up.trips.trips.Holds(now, key) || x.probe && x.streakProbe
	x.up.trips.set(now, key, answer)
	if x.probe && x.probeKey == key {
		x.probe = false
	}
	x.place.line.dismiss(now)
	if known {
		return
	}
	since, n := x.place.line.refusals.since()
	x.p.log.LogAttrs(context.Background(), slog.LevelWarn, "refusals do not clear, answering from memory",
		slog.String("upstream", x.up.config.Name), slog.String("credential", key.credential.label()),
		slog.String("model", labelText(key.model)), slog.Duration("for", now.Sub(since)), slog.Int("refusals", n),
		slog.Int("status", answer.status))
}

// dismiss lets all go that wait in the line.
func (ln *line) dismiss(now time.Time) {
	ts := ln.lock()
	defer ts.mu.Unlock()
	ts.limiter.Dismiss(now, func(w *limit.Waiter) bool { return w.Tag.(*place).line == ln }, func(w *limit.Waiter, d limit.Decision) {
		pl := w.Tag.(*place)
		pl.turnedAway = d
		close(pl.ready)
	})
	ts.release(now)
}

// fromMemory returns a remembered refusal as the request is to get it: as it was sent if it
// has waited, else without what was true at that moment only.
func (x *exchange) fromMemory(s *saved) *saved {
	if s.verdict.Trip || x.record.attempts > 0 || x.record.queue > 0 {
		return s
	}
	return s.withoutMoment()
}

// insteadOf returns what the upstream last said, for a request that waited in vain and ends
// with err: that says more than a wait's end. Nil is nothing.
func (x *exchange) insteadOf(err error) *saved {
	var local *Error
	waited := errors.Is(err, errDeadline) || errors.As(err, &local) && local.Code == "local_rate_limit" && local.Later
	if !waited || x.left() {
		return nil
	}
	now := time.Now()
	if answer := x.up.loadings.latest(now, x.model); answer != nil {
		return answer
	}
	if x.place.line == nil {
		return nil
	}
	return x.place.line.refusals.suspect(now)
}
