package proxy

import (
	"errors"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/concurrency"
	"outrigger/policy/limit"
)

// ConcurrencyMode says whether limits on concurrency are learned. The zero value means
// ConcurrencyLearn.
type ConcurrencyMode string

// The modes.
const (
	ConcurrencyLearn ConcurrencyMode = "learn"
	ConcurrencyOff   ConcurrencyMode = "off"
)

// The two limits on calls in flight that every attempt keeps to.
const (
	slotOfKey      = iota // of its credential and model
	slotOfUpstream        // of all at the upstream
	slotCount
)

// takeSlots takes a slot of each limit on calls in flight. Where one has to be waited
// for, the rate limiter's permit is given back meanwhile: all those that were given out in
// the time of a stall would else be used at its end, at once.
func (x *exchange) takeSlots() error {
	front := x.crowded
	for i, s := range [slotCount]*slots{x.place.line.slots, x.up.slots} {
		if s.tryTake(&x.slots[i]) {
			continue
		}
		if err := x.waitForSlot(s, &x.slots[i], front); err != nil {
			x.giveSlots(false)
			return err
		}
	}
	x.crowded = false
	return nil
}

// waitForSlot waits in the queue of s, and then for the rate limiter again.
func (x *exchange) waitForSlot(s *slots, sl *slot, front bool) error {
	start := time.Now()
	x.place.leave(start)
	until := x.place.waiter.Until()
	if !until.Before(x.deadline) {
		until = time.Time{} // the context ends then, and says why
	}
	err := s.take(x.ctx, sl, x.deadline, until, front)
	waited := time.Since(start)
	x.record.queue += waited
	x.up.metrics.queued.Observe(waited.Seconds())
	switch {
	case errors.Is(err, errSlotsFull):
		return fail("local_rate_limit", "The queue for the calls that upstream %q runs at once is full (OUTRIGGER_QUEUE_MAX). "+
			"Send fewer requests at once.", x.up.config.Name).after(time.Second)
	case errors.Is(err, errTurnedAway):
		x.late = true
		return fail("local_rate_limit", "Upstream %q runs so few calls at once that this one would be answered after the request's deadline. "+
			"Send fewer requests at once, or allow more time.", x.up.config.Name).after(s.untilFree())
	case errors.Is(err, errQueueTimeout):
		return fail("local_rate_limit", "Waited %s in the queue for one of the calls that upstream %q runs at once, the longest "+
			"wait allowed (OUTRIGGER_QUEUE_TIMEOUT). Send fewer requests at once, or allow more time.",
			round(waited), x.up.config.Name).after(time.Second)
	case err != nil:
		return err
	}
	return x.admit()
}

// giveSlots returns all slots that are held.
func (x *exchange) giveSlots(accepted bool) {
	for i := range x.slots {
		x.slots[i].give(accepted)
	}
}

// learnConcurrency takes in a refusal that a limit on concurrency may explain. If one
// does, the request goes back to the head of the queue: that is no retry, spends no budget
// and says nothing about the upstream's health.
func (x *exchange) learnConcurrency(a *attempt) {
	evidence, wide, ok := evidenceOf(a)
	if !ok || !x.replayable() || a.verdict.Repeat == classify.Never { // among them creates that may have been carried out
		return
	}
	now := time.Now()
	explained := x.slots[slotOfKey].refused(now, evidence, a.verdict.Wait)
	if wide { // whose capacity it is, that of the model or all, shows by which limit holds
		explained = x.slots[slotOfUpstream].refused(now, evidence, a.verdict.Wait) || explained
	}
	if !explained {
		return
	}
	x.crowded = true
	a.crowded = true
	a.verdict.Repeat, a.verdict.Breaker = classify.Pause, classify.Ignore
	a.verdict.Limiter = classify.LimiterPause // for Retry.Decide: the wait is not a retry
}

// evidenceOf says what a's refusal tells about concurrency, whether it may be that of the
// whole upstream, and whether it may be about concurrency at all.
func evidenceOf(a *attempt) (concurrency.Evidence, bool, bool) {
	v := a.verdict
	if a.resp == nil {
		return 0, false, false
	}
	switch {
	case v.Limit.Dimension == "concurrency":
		return concurrency.Named, false, true
	case v.Outcome == classify.OutcomeOverloaded, v.Outcome == classify.OutcomeSlowDown && v.Scope == classify.Upstream:
		return concurrency.Capacity, v.Scope == classify.Upstream, true
	case v.Outcome == classify.OutcomeRateLimited:
		r := limit.Refusal{
			Hint: v.Wait, Limit: v.Limit.Limit, Window: v.Limit.Window, Headers: limit.ParseHeaders(a.resp.Header, time.Now()),
		}
		return concurrency.Unclear, false, r.Bare() && v.Until.IsZero() && v.Limit.Dimension == ""
	}
	return 0, false, false
}

// accepted reports whether the upstream took the attempt's call in.
func (a *attempt) accepted() bool {
	return a.resp != nil && a.verdict.Breaker == classify.Success && a.verdict.Limiter == classify.LimiterNone
}
