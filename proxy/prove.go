package proxy

import (
	"net/http"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/limit"
)

// proves reports whether an answer shows that its model exists: a success, or a refusal that
// names a limit.
func (a *attempt) proves() bool {
	switch {
	case a.resp == nil:
		return false
	case a.resp.StatusCode == http.StatusSwitchingProtocols:
		return true
	case a.verdict.Limiter != classify.LimiterNone:
		return a.verdict.Limit.Limit > 0 || len(limit.ParseHeaders(a.resp.Header, time.Now()).Readings) > 0
	}
	return isSuccess(a.resp.StatusCode) && a.verdict.Outcome == classify.OutcomeOK
}

// prove gives a line a limiter of its own, since its model exists. It keeps the one that it
// shared until now, and those of other models part from that; but if they were refused there,
// it is the one that parts: what they taught is not about its model.
func (ls *lines) prove(ln *line, now time.Time) {
	if ln.proven.Load() {
		return
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ln.proven.Load() || ls.byKey[ln.key] != ln {
		return
	}
	a, ts := ln.account, ln.account.common
	a.users -= ln.users
	delete(a.unproven, ln)
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ls.siblings.add(ln)
	for _, e := range ln.early {
		e.place.sentAs = ls.siblings.sent(ln, e.at)
	}
	ln.early = nil
	keeps := ts.limiter.Refusals() == ln.taught
	switch {
	case !keeps:
		own := ts.part(now, func(pl *place) bool { return pl.line == ln })
		own.lines, own.held = []*line{ln}, nil
		ln.turnstile.Store(own)
	case a.users > 0:
		a.common = ts.part(now, func(pl *place) bool { return pl.line != ln })
		for other := range a.unproven {
			other.turnstile.Store(a.common)
		}
	default:
		a.common = nil
	}
	if keeps {
		ts.lines, ts.held = []*line{ln}, nil
	}
	ln.proven.Store(true)
	if !keeps && a.users == 0 {
		ls.restLocked(a, now)
	}
}

// part moves those who wait and are to go, and those who were admitted and not sent yet, to a
// turnstile of their own. Locked; the caller moves the lines.
func (ts *turnstile) part(now time.Time, goes func(*place) bool) *turnstile {
	n := &turnstile{held: map[*place]struct{}{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.limiter = ts.limiter.Part(now, func(w *limit.Waiter) bool { return goes(w.Tag.(*place)) })
	for pl := range ts.held {
		if goes(pl) {
			delete(ts.held, pl)
			ts.limiter.Hand(now, &pl.waiter, n.limiter)
			n.held[pl] = struct{}{}
		}
	}
	n.release(now)
	ts.release(now)
	return n
}
