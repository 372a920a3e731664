package loop

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/concurrency"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// The two limits on calls in flight that every attempt keeps to.
const (
	slotOfKey      = iota // of its credential and model
	slotOfUpstream        // of all at the upstream
	slotCount
)

// leaseTrip is the longest wait for which a call keeps its slot: that for a lease of the fleet.
const leaseTrip = 50 * time.Millisecond

// errMoved is what takeSlots returns when the request went on to another upstream.
var errMoved = errors.New("the request went on to another upstream")

// takeSlots waits for the rate limiter's permit and for a slot of each limit on calls in
// flight: first of its credential and model, then of the upstream, so that no two wait for
// each other. Nobody waits for a slot with a permit in hand, since all those that were
// given out in the time of a stall would else be used at its end, at once; nor for a permit
// with a slot in hand, which others could use.
func (x *Run) takeSlots() error {
	again := x.crowded
	for {
		if err := x.admit(); err != nil {
			x.giveSlots()
			return err
		}
		limits := [slotCount]*admission.Slots{x.Ticket.Queue.Slots, x.Up.Slots}
		full := x.tryTakeSlots(limits)
		if full < 0 {
			x.crowded = false
			return nil
		}
		if limits[full].IsLearned() && x.goWhereRoomIs() {
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
		if x.Ticket.Queued && (!x.Ticket.Queue.Leases() || x.predicted > leaseTrip) {
			x.giveSlots()
		}
	}
}

// tryTakeSlots takes the slots that are free, and returns which is not, or -1.
func (x *Run) tryTakeSlots(limits [slotCount]*admission.Slots) int {
	for i, s := range limits {
		if x.slots[i].Of == nil && !s.TryTake(&x.slots[i]) {
			return i
		}
	}
	return -1
}

// goWhereRoomIs goes on to the next upstream that can take the call now, if failover goes
// by overload and there is one. The present one may be come back to.
func (x *Run) goWhereRoomIs() bool {
	if !x.mayGoOn(policy.FailoverOverloaded) {
		return false
	}
	now := time.Now()
	for _, up := range x.Candidates {
		if up == x.Up || slices.Contains(x.spent, up) {
			continue
		}
		next := x.prepare(up)
		if x.tripped(&next, now) || up.Gate.Shut() || up.IsOpen(x.scopeAt(&next)) || up.Loadings.Latest(now, next.model) != nil {
			continue
		}
		if ln := up.Queues.Known(admission.Key{Credential: next.credential, Model: next.model}); up.Slots.HasRoom() && (ln == nil || ln.Slots.HasRoom()) {
			x.moveFor(next, policy.FailoverOverloaded, false)
			return true
		}
	}
	return false
}

// waitForSlot waits in the queue of s.
func (x *Run) waitForSlot(s *admission.Slots, sl *admission.Slot, again bool) error {
	start := time.Now()
	x.Ticket.Leave(start)
	until := x.Ticket.Waiter.Until()
	if !x.Deadline.IsZero() && !until.Before(x.Deadline) {
		until = time.Time{} // the context ends then, and says why
	}
	w := &admission.SlotWaiter{Came: x.Start, Deadline: x.Deadline, Priority: x.Priority}
	if answer, known := x.Ticket.Queue.Answers.Of(x.answerKind()); known && !x.Deadline.IsZero() {
		w.Deadline = x.Deadline.Add(-answer - answer/admission.AnswerSlack)
	}
	err := s.Take(x.Ctx, sl, w, until, again)
	waited := x.waited(observe.SpanQueue, observe.QueueConcurrency, start)
	x.waitedAt = s
	x.Record.Queue += waited
	switch {
	case errors.Is(err, apierror.ErrClosing):
		return call.OutlastsDrain()
	case errors.Is(err, admission.ErrSlotsFull):
		return apierror.New(apierror.LocalRateLimit, "The queue for the calls that upstream %q runs at once is full (OUTRIGGER_QUEUE_MAX). "+
			"Send fewer requests at once.", x.Up.Config.Name).After(s.UntilFree())
	case errors.Is(err, admission.ErrTurnedAway):
		x.Late = true
		return apierror.New(apierror.LocalRateLimit, "Upstream %q runs so few calls at once that this one would be answered after the request's deadline. "+
			"Send fewer requests at once, or allow more time.", x.Up.Config.Name).After(s.UntilFree())
	case errors.Is(err, admission.ErrQueueTimeout):
		return apierror.New(apierror.LocalRateLimit, "Waited %s in the queue for one of the calls that upstream %q runs at once, the longest "+
			"wait allowed (OUTRIGGER_QUEUE_TIMEOUT). Send fewer requests at once, or allow more time.",
			apierror.Round(waited), x.Up.Config.Name).After(s.UntilFree())
	}
	return err
}

// giveSlots returns all slots that are held and were not used.
func (x *Run) giveSlots() {
	for i := range x.slots {
		x.slots[i].Give(false)
	}
}

// learnConcurrency takes in a refusal that a limit on concurrency may explain. If one
// does, the request goes back to the head of the queue: that is no retry, spends no budget
// and says nothing about the upstream's health.
func (x *Run) learnConcurrency(a *attempt.Attempt) {
	evidence, wide, ok := evidenceOf(a)
	if !ok || !x.Replayable() || a.Verdict.Repeat == classify.Never { // among them creates that may have been carried out
		return
	}
	now := time.Now()
	// The narrower explanation first: a wider one would hold up others.
	explained := x.slots[slotOfKey].Refused(now, evidence, a.Verdict.Wait)
	if !explained && wide {
		explained = x.slots[slotOfUpstream].Refused(now, evidence, a.Verdict.Wait)
	}
	if !explained {
		return
	}
	x.crowded = true
	a.Crowded = true
	a.Verdict.Repeat, a.Verdict.Breaker = classify.Pause, classify.Ignore
	a.Verdict.Limiter = classify.LimiterPause // for Retry.Decide: the wait is not a retry
}

// evidenceOf says what a's refusal tells about concurrency, whether it may be that of the
// whole upstream, and whether it may be about concurrency at all.
func evidenceOf(a *attempt.Attempt) (concurrency.Evidence, bool, bool) {
	v := a.Verdict
	if a.Resp == nil {
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
			Hint: v.Wait, Limit: v.Limit.Limit, Window: v.Limit.Window, Headers: limit.ParseHeaders(a.Told, time.Now()),
		}
		return concurrency.Unclear, false, r.Bare() && v.Until.IsZero() && v.Limit.Dimension == ""
	}
	return 0, false, false
}
