package loop

import (
	"errors"
	"fmt"
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/gate"
	"outrigger/proxy/observe"
)

// Reasons for which begin refuses that are not answers of their own.
var (
	ErrBudget  = errors.New("the retry budget is spent")
	errTripped = errors.New("the credential is dead")
)

// admit waits for the request's turn at the limiter: in the queue, or refused at once
// when the wait could not end in time.
func (x *Run) admit() error {
	now := time.Now()
	if !x.Ticket.Queued && !x.Ticket.Admitted() {
		if err := x.enter(now); err != nil {
			return err
		}
	}
	if !x.Ticket.Queued {
		return nil
	}
	if x.setbacks.own == 0 {
		fresh := &x.Ticket.Queue.Refusals.Fresh
		fresh.Add(1)
		defer fresh.Add(-1)
	}
	err := x.Ticket.Wait(x.Ctx)
	waited := x.waited(observe.SpanQueue, observe.QueueRate, now)
	x.Record.Queue += waited
	if errors.Is(err, apierror.ErrDeadline) || errors.Is(err, admission.ErrQueueTimeout) {
		return apierror.New(apierror.LocalRateLimit, "Waited %s in line for upstream %q's rate limit, until the request's deadline or the longest wait "+
			"allowed (OUTRIGGER_QUEUE_TIMEOUT). Send fewer requests at once, or allow more time.", apierror.Round(waited), x.Up.Config.Name).
			After(x.Ticket.Queue.Predict(x.Ticket))
	}
	if errors.Is(err, admission.ErrTurnedAway) {
		return x.turnedAway(x.Ticket.TurnedAway)
	}
	return err
}

// enter joins the back of the queue.
func (x *Run) enter(now time.Time) error {
	if x.Ticket.Queue == nil {
		x.takeTicket(&x.Prepared, x.Ticket, now)
	}
	x.Ticket.Waiter.Deadline = x.Deadline // an attempt's body may have put it off
	d := x.Ticket.Queue.Enter(x.Ticket, now)
	x.predicted = d.Wait
	if d.Reason == limit.Admitted || d.Reason == limit.Queued {
		return nil
	}
	return x.turnedAway(d)
}

// turnedAway is the refusal of a request that the queue did not take, or let go of.
func (x *Run) turnedAway(d limit.Decision) error {
	switch d.Reason {
	case limit.Dismissed:
		return errTripped // the answer is remembered
	case limit.Closing:
		return call.OutlastsDrain()
	}
	x.Late = d.Reason == limit.TooLate && !x.Ticket.Waiter.Until().Before(x.Deadline)
	return admission.LineRefusal(d, x.Up.Config.Name)
}

// stayedOpen is the refusal of a request that waited at these gates in vain.
func (x *Run) stayedOpen(gates []*gate.Gate) error {
	now, soonest := time.Now(), time.Duration(0)
	for i, g := range gates {
		if d := g.UntilProbe(now); i == 0 || d < soonest {
			soonest = d
		}
	}
	who := fmt.Sprintf("Upstream %q fails", x.Up.Config.Name)
	if len(gates) > 1 {
		who = fmt.Sprintf("All %d upstreams that could answer fail", len(gates))
	}
	return apierror.New(apierror.CircuitOpen, "%s, so calls are held back while single ones try. "+
		"There was no recovery within %s. See the state at /status.json.", who, apierror.Round(x.Record.Gate)).After(soonest)
}

func (x *Run) answerKind() admission.AnswerKind {
	return admission.AnswerKind{Endpoint: x.Endpoint.Name, Stream: x.Facts.Stream}
}
