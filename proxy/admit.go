package proxy

import (
	"errors"
	"fmt"
	"time"

	"outrigger/policy/limit"
)

// Reasons for which begin refuses that are not answers of their own.
var (
	errShut    = errors.New("the breaker is open")
	errBudget  = errors.New("the retry budget is spent")
	errTripped = errors.New("the credential is dead")
)

// admit waits for the request's turn at the limiter: in line, or refused at once
// when the wait could not end in time.
func (x *exchange) admit() error {
	now := time.Now()
	if !x.place.queued && !x.place.admitted() {
		if err := x.enter(now); err != nil {
			return err
		}
	}
	if !x.place.queued {
		return nil
	}
	if x.setbacks.own == 0 {
		fresh := &x.place.line.refusals.fresh
		fresh.Add(1)
		defer fresh.Add(-1)
	}
	err := x.place.wait(x.ctx)
	waited := time.Since(now)
	x.record.queue += waited
	x.up.metrics.queued.Observe(waited.Seconds())
	if errors.Is(err, errDeadline) || errors.Is(err, errQueueTimeout) {
		return fail("local_rate_limit", "Waited %s in line for upstream %q's rate limit, until the request's deadline or the longest wait "+
			"allowed (OUTRIGGER_QUEUE_TIMEOUT). Send fewer requests at once, or allow more time.", round(waited), x.up.config.Name).
			After(x.place.line.predict(x.place))
	}
	if errors.Is(err, errTurnedAway) {
		return x.turnedAway(x.place.turnedAway)
	}
	return err
}

// enter joins the back of the line.
func (x *exchange) enter(now time.Time) error {
	if x.place.line == nil {
		x.takePlace(&x.facing, x.place, now)
	}
	x.place.waiter.Deadline = x.deadline // an attempt's body may have put it off
	d := x.place.line.enter(x.place, now)
	x.predicted = d.Wait
	if d.Reason == limit.Admitted || d.Reason == limit.Queued {
		return nil
	}
	return x.turnedAway(d)
}

// turnedAway is the refusal of a request that the line did not take, or let go of.
func (x *exchange) turnedAway(d limit.Decision) error {
	switch d.Reason {
	case limit.Dismissed:
		return errTripped // the answer is remembered
	case limit.Closing:
		return x.outlastsDrain()
	}
	x.late = d.Reason == limit.TooLate && !x.place.waiter.Until().Before(x.deadline)
	return lineRefusal(d, x.up.config.Name)
}

// lineRefusal tells why the line did not take a request.
func lineRefusal(d limit.Decision, upstream string) *Error {
	switch d.Reason {
	case limit.QueueFull:
		return fail("local_rate_limit", "The line for upstream %q's rate limit is full (OUTRIGGER_QUEUE_MAX). "+
			"A place in it would come up in about %s.", upstream, round(d.Wait)).After(d.Wait)
	case limit.Barred:
		return fail("local_rate_limit", "Upstream %q said that this credential's limit for the model is used up for another %s, longer than "+
			"anybody waits (OUTRIGGER_RETRY_AFTER_MAX). One request a minute tries whether that still holds.", upstream, round(d.Wait)).After(d.Wait)
	case limit.NeverFits:
		e := fail("local_rate_limit", "This request alone is larger than upstream %q's token limit, so no wait would let it pass. "+
			"Make the prompt or max_tokens smaller.", upstream)
		e.Later = false
		return e
	}
	return fail("local_rate_limit", "Upstream %q's rate limit would let this request pass in about %s, "+
		"after the request's deadline or the longest wait allowed (OUTRIGGER_QUEUE_TIMEOUT).", upstream, round(d.Wait)).After(d.Wait)
}

// stayedOpen is the refusal of a request that waited at these gates in vain.
func (x *exchange) stayedOpen(gates []*gate) error {
	now, soonest := time.Now(), time.Duration(0)
	for i, g := range gates {
		if d := g.untilProbe(now); i == 0 || d < soonest {
			soonest = d
		}
	}
	who := fmt.Sprintf("Upstream %q fails", x.up.config.Name)
	if len(gates) > 1 {
		who = fmt.Sprintf("All %d upstreams that could answer fail", len(gates))
	}
	return fail("circuit_open", "%s, so calls are held back while single ones try. "+
		"There was no recovery within %s. See the state at /status.json.", who, round(x.record.gate)).After(soonest)
}

// round shortens a duration for a reader.
func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
