package proxy

import (
	"errors"
	"log/slog"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/limit"
)

// refused takes in a refusal for the rate. One that is likely never to clear, or that concerns
// this request alone, is its answer.
func (x *Run) refused(a *attempt, d policy.Decision, now time.Time) policy.Decision {
	wait := a.verdict.Wait
	if !a.verdict.Until.IsZero() {
		wait = max(wait, a.verdict.Until.Sub(now))
	}
	long := wait > x.config.Retry.AfterMax
	passes := wait > 0 && !long
	known := &x.place.line.refusals
	if x.setbacks.own == 0 {
		known.refused.Add(1)
	}
	alone := x.setbacks.unproven && x.isAlone(known, now)
	answer := x.remember(a)
	lasts := known.refuse(now, wait, long, answer) || x.probe && x.streakProbe && !passes
	switch {
	case lasts && answer != nil && x.config.TripCooldown > 0:
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

// startStreak remembers a refusal that is not likely to clear for the credential and model,
// and lets those go that wait in their line: they are answered from memory.
func (x *Run) startStreak(answer *saved, now time.Time) {
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
	x.recorder.Notice(Notice{slog.LevelWarn, "refusals do not clear, answering from memory", []slog.Attr{
		slog.String("upstream", x.up.config.Name), slog.String("credential", key.credential.label()),
		slog.String("model", labelText(key.model)), slog.Duration("for", now.Sub(since)), slog.Int("refusals", n),
		slog.Int("status", answer.status),
	}})
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
func (x *Run) fromMemory(s *saved) *saved {
	if s.verdict.Trip || x.record.attempts > 0 || x.record.queue > 0 {
		return s
	}
	return s.withoutMoment()
}

// insteadOf returns what the upstream last said, for a request that waited in vain and ends
// with err: that says more than a wait's end. Nil is nothing.
func (x *Run) insteadOf(err error) *saved {
	var local *Error
	waited := errors.Is(err, errDeadline) || errors.As(err, &local) && local.Code == "local_rate_limit" && local.Later
	if !waited || x.left() {
		return nil
	}
	now := time.Now()
	answer := x.up.loadings.latest(now, x.model)
	if answer == nil && x.place.line != nil {
		answer = x.place.line.refusals.suspect(now)
	}
	if answer == nil || answer.caller != x.callerOf(&x.facing) {
		return nil // it quotes the request that drew it
	}
	return answer
}
