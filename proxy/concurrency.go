package proxy

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"outrigger/policy"
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

// errMoved is what takeSlots returns when the request went on to another upstream.
var errMoved = errors.New("the request went on to another upstream")

// takeSlots waits for the rate limiter's permit and for a slot of each limit on calls in
// flight: first of its credential and model, then of the upstream, so that no two wait for
// each other. Nobody waits for a slot with a permit in hand, since all those that were
// given out in the time of a stall would else be used at its end, at once; nor for a permit
// with a slot in hand, which others could use.
func (x *exchange) takeSlots() error {
	again := x.crowded
	for {
		if err := x.admit(); err != nil {
			return err
		}
		limits := [slotCount]*slots{x.place.line.slots, x.up.slots}
		full := x.tryTakeSlots(limits)
		if full < 0 {
			x.crowded = false
			return nil
		}
		if limits[full].isLearned() && x.goWhereRoomIs() {
			return errMoved
		}
		if err := x.waitForSlot(limits[full], &x.slots[full], again); err != nil {
			x.giveSlots()
			return err
		}
		again = true
		if err := x.enter(time.Now()); err != nil {
			x.giveSlots()
			return err
		}
		if x.place.queued {
			x.giveSlots()
		}
	}
}

// tryTakeSlots takes the slots that are free, and returns which is not, or -1.
func (x *exchange) tryTakeSlots(limits [slotCount]*slots) int {
	for i, s := range limits {
		if x.slots[i].of == nil && !s.tryTake(&x.slots[i]) {
			return i
		}
	}
	return -1
}

// goWhereRoomIs goes on to the next upstream that can take the call now, if failover goes
// by overload and there is one. The present one may be come back to.
func (x *exchange) goWhereRoomIs() bool {
	if !x.mayGoOn(policy.FailoverOverloaded) {
		return false
	}
	now := time.Now()
	for _, up := range x.candidates {
		if up == x.up || slices.Contains(x.spent, up) {
			continue
		}
		next := x.faceOf(up)
		if x.tripped(&next, now) || up.gate.shut() || up.isOpen(x.scopeAt(&next)) || up.loadings.latest(now, next.model) != nil {
			continue
		}
		if ln := up.lines.known(lineKey{next.credential, next.model}); up.slots.hasRoom() && (ln == nil || ln.slots.hasRoom()) {
			x.moveFor(next, policy.FailoverOverloaded, false)
			return true
		}
	}
	return false
}

// answerSlack is the part of an answer's mean time that is allowed for beyond it: half of all
// answers take longer.
const answerSlack = 8

// waitForSlot waits in the queue of s.
func (x *exchange) waitForSlot(s *slots, sl *slot, again bool) error {
	start := time.Now()
	x.place.leave(start)
	until := x.place.waiter.Until()
	if !x.deadline.IsZero() && !until.Before(x.deadline) {
		until = time.Time{} // the context ends then, and says why
	}
	w := &slotWaiter{came: x.start, deadline: x.deadline}
	if answer, known := x.place.line.answers.of(x.answerKind()); known && !x.deadline.IsZero() {
		w.deadline = x.deadline.Add(-answer - answer/answerSlack)
	}
	err := s.take(x.ctx, sl, w, until, again)
	waited := time.Since(start)
	x.waitedAt = s
	x.record.queue += waited
	x.up.metrics.queued.Observe(waited.Seconds())
	switch {
	case errors.Is(err, errClosing):
		return x.outlastsDrain()
	case errors.Is(err, errSlotsFull):
		return fail("local_rate_limit", "The queue for the calls that upstream %q runs at once is full (OUTRIGGER_QUEUE_MAX). "+
			"Send fewer requests at once.", x.up.config.Name).After(s.untilFree())
	case errors.Is(err, errTurnedAway):
		x.late = true
		return fail("local_rate_limit", "Upstream %q runs so few calls at once that this one would be answered after the request's deadline. "+
			"Send fewer requests at once, or allow more time.", x.up.config.Name).After(s.untilFree())
	case errors.Is(err, errQueueTimeout):
		return fail("local_rate_limit", "Waited %s in the queue for one of the calls that upstream %q runs at once, the longest "+
			"wait allowed (OUTRIGGER_QUEUE_TIMEOUT). Send fewer requests at once, or allow more time.",
			round(waited), x.up.config.Name).After(s.untilFree())
	}
	return err
}

// giveSlots returns all slots that are held and were not used.
func (x *exchange) giveSlots() {
	for i := range x.slots {
		x.slots[i].give(false)
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
	// The narrower explanation first: a wider one would hold up others.
	explained := x.slots[slotOfKey].refused(now, evidence, a.verdict.Wait)
	if !explained && wide {
		explained = x.slots[slotOfUpstream].refused(now, evidence, a.verdict.Wait)
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
	case v.Outcome == classify.OutcomeFailed && v.Status == http.StatusServiceUnavailable:
		return concurrency.Capacity, v.Scope == classify.Upstream, true // a full server need not say so
	case v.Outcome == classify.OutcomeOverloaded, v.Outcome == classify.OutcomeSlowDown && v.Scope == classify.Upstream:
		return concurrency.Capacity, v.Scope == classify.Upstream, true
	case v.Outcome == classify.OutcomeRateLimited:
		r := limit.Refusal{
			Hint: v.Wait, Limit: v.Limit.Limit, Window: v.Limit.Window, Headers: limit.ParseHeaders(a.told, time.Now()),
		}
		return concurrency.Unclear, false, r.Bare() && v.Until.IsZero() && v.Limit.Dimension == ""
	}
	return 0, false, false
}

// accepted reports whether the upstream carried the attempt's call out.
func (a *attempt) accepted() bool {
	return a.resp != nil && a.failure == classify.None && a.verdict.Outcome == classify.OutcomeOK && a.verdict.Rule != ""
}
