package admission

import (
	"context"
	"errors"
	"time"

	"outrigger/policy/limit"
)

// ErrQueueTimeout ends a wait in the queue that OUTRIGGER_QUEUE_TIMEOUT bounds.
var ErrQueueTimeout = errors.New("the longest wait in line passed")

// ErrTurnedAway ends the wait of a ticket that the queue let go: the limit fell, and
// its turn would come too late.
var ErrTurnedAway = errors.New("the turn would come too late")

// Ticket is a request in its queue, for all its attempts, which follow each
// other. The transport's goroutines know it too: the news that a request was
// written may come when its attempt is long over and the next one under way.
type Ticket struct {
	Queue  *Queue        // nil before Take
	Waiter limit.Waiter  // what the request costs, and until when it may wait
	ready  chan struct{} // closed by the queue when the ticket is admitted
	Taken  bool          // and is to be freed
	Queued bool          // in the queue, or admitted out of it and not yet told

	// Under the lock of the queue's scheduler.
	sentAs     uint64         // the request's number at the sharedQuotas', once it was sent
	held       bool           // admitted, and nothing sent yet
	Turn       int            // counts the times that it was entered, put back or left
	TurnedAway limit.Decision // why the queue let go of the ticket, if it was not admitted
}

// Take makes pl a ticket in ln, not yet entered, for a request that costs what w says.
func (pl *Ticket) Take(ln *Queue, w limit.Waiter) {
	pl.Queue, pl.Waiter = ln, w
	pl.Waiter.Tag = pl
}

// Free ends a ticket that was taken from an upstream's queues. Calling it again does nothing.
func (pl *Ticket) Free(now time.Time) {
	if pl.Taken {
		pl.Taken = false
		pl.Queue.Home.Release(pl.Queue, now)
	}
}

// Admitted reports whether pl holds a permit that was not used.
func (pl *Ticket) Admitted() bool {
	if pl.Queue == nil {
		return false
	}
	ts := pl.Queue.lock()
	defer ts.mu.Unlock()
	return pl.held
}

// Repeated takes in a refusal of pl that it met before, and that proves nothing.
func (pl *Ticket) Repeated(now time.Time) {
	ts := pl.Queue.lock()
	defer ts.mu.Unlock()
	ts.limiter.Repeated(now, &pl.Waiter)
	ts.release(now)
}

// Wait returns when pl is admitted, with ErrQueueTimeout when its time in the queue
// is over, or with the cause of ctx's end.
func (pl *Ticket) Wait(ctx context.Context) error {
	if !pl.Queued {
		return nil
	}
	var expired <-chan time.Time
	if until := pl.Waiter.Until(); until.Before(pl.Waiter.Deadline) || pl.Waiter.Deadline.IsZero() && !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		expired = timer.C
	}
	err := ErrQueueTimeout
	select {
	case <-pl.ready:
		pl.Queued = false
		if pl.TurnedAway.Reason != limit.Admitted {
			return ErrTurnedAway
		}
		return nil
	case <-expired:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	pl.Leave(time.Now())
	return err
}

// Leave gives the ticket up, or the permit that was not used. Calling it again,
// or for a ticket whose request was sent, does nothing.
func (pl *Ticket) Leave(now time.Time) {
	if pl.Queue == nil {
		return
	}
	ts := pl.Queue.lock()
	defer ts.mu.Unlock()
	if !pl.Queued && !pl.held {
		return
	}
	ts.unhold(pl)
	pl.Queued = false
	pl.Turn++
	ts.limiter.Leave(now, &pl.Waiter)
	ts.release(now)
}

// Sent tells the limiter that the request of a turn is on the wire.
func (pl *Ticket) Sent(now time.Time, turn int) {
	ts := pl.Queue.lock()
	defer ts.mu.Unlock()
	if turn != pl.Turn {
		return
	}
	if pl.held {
		ts.unhold(pl)
		pl.sentAs = pl.Queue.kin().Sent(pl.Queue, now)
		if !pl.Queue.proven.Load() {
			pl.Queue.sentEarly(pl, now)
		}
	}
	if pl.Queue.connect != nil {
		pl.Waiter.Connect = pl.Queue.connect(now)
	}
	ts.limiter.Sent(now, &pl.Waiter)
	ts.release(now)
}

// Answered tells the limiter of an answer that was not a refusal.
func (pl *Ticket) Answered(now time.Time, told limit.Told) {
	ts := pl.Queue.lock()
	ts.limiter.Answered(now, &pl.Waiter, told.Headers)
	ts.release(now)
	id := pl.sentAs
	ts.unlock(pl.Queue, now)
	pl.Queue.kin().answered(pl.Queue, now, id, told)
}

// Rejected tells the limiter of an answer that found fault with the request itself.
func (pl *Ticket) Rejected(now time.Time) {
	ts := pl.Queue.lock()
	defer ts.mu.Unlock()
	ts.limiter.Rejected(now, &pl.Waiter)
	ts.release(now)
}

// Heard tells of a refusal what it says about the account, before the limiter hears of it.
func (pl *Ticket) Heard(now time.Time, told limit.Told) {
	ts := pl.Queue.lock()
	id := pl.sentAs
	ts.mu.Unlock()
	pl.Queue.kin().answered(pl.Queue, now, id, told)
}
