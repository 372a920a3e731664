package admission

import (
	"container/list"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"outrigger/policy/limit"
)

// ErrQueueTimeout ends a wait in the queue that OUTRIGGER_QUEUE_TIMEOUT bounds.
var ErrQueueTimeout = errors.New("the longest wait in line passed")

// ErrTurnedAway ends the wait of a ticket that the queue let go: the limit fell, and
// its turn would come too late.
var ErrTurnedAway = errors.New("the turn would come too late")

// Queue is the queue of one credential and model. A ticket in it takes about 450 bytes, its
// channel included, and neither a timer nor a goroutine: each request has its own of
// net/http, which waits. Safe for concurrent use.
type Queue struct {
	connect   func(now time.Time) time.Duration // see Queues.Connect
	key       Key
	Slots     *Slots
	Answers   answerTimes
	turnstile atomic.Pointer[turnstile] // that it waits at, perhaps with others
	siblings  *siblings                 // set before proven
	sibling   *limit.Sibling            // under siblings.mu
	Refusals  Refusals
	proven    atomic.Bool // an answer showed that the model exists
	early     []earlySend // while it is not proven; under the lock of the limiter that it shares
	taught    int         // refusals that it told the limiter which it shares; under the lock of that

	// Under Queues.Mu:
	Home    *Queues
	account *account
	users   int // requests that have a ticket in it
	uses    int // how many had
	size    int // in bytes
	kind    int // while nobody uses it, among which
	idle    [2]*list.Element
}

// newLine returns a line by itself.
func newLine(key Key, s limit.Settings, now time.Time) *Queue {
	ln := &Queue{key: key}
	ln.proven.Store(true)
	ln.turnstile.Store(&turnstile{limiter: limit.New(s, now), lines: []*Queue{ln}})
	return ln
}

// earlySend is a request that was sent while nothing showed that its model exists: the siblings
// are told of it once something does.
type earlySend struct {
	place *Ticket
	at    time.Time
}

// maxEarly bounds them. The later ones tell more.
const maxEarly = 128

// sentEarly notes one. Locked, as its limiter is.
func (ln *Queue) sentEarly(pl *Ticket, now time.Time) {
	if len(ln.early) >= maxEarly {
		ln.early = append(ln.early[:0], ln.early[maxEarly/2:]...)
	}
	ln.early = append(ln.early, earlySend{pl, now})
}

// kin are the siblings that it belongs to, nil if it may have none.
func (ln *Queue) kin() *siblings {
	if !ln.proven.Load() {
		return nil
	}
	return ln.siblings
}

// lock returns the queue's turnstile, locked.
func (ln *Queue) lock() *turnstile {
	for {
		ts := ln.turnstile.Load()
		ts.mu.Lock()
		if ln.turnstile.Load() == ts {
			return ts
		}
		ts.mu.Unlock() // it moved meanwhile
	}
}

// Ticket is a request in its queue, for all its attempts, which follow each
// other. The transport's goroutines know it too: the news that a request was
// written may come when its attempt is long over and the next one under way.
type Ticket struct {
	Line   *Queue        // nil before Take
	Waiter limit.Waiter  // what the request costs, and until when it may wait
	ready  chan struct{} // closed by the queue when the ticket is admitted
	Taken  bool          // and is to be freed
	Queued bool          // in the queue, or admitted out of it and not yet told

	// Under the lock of the queue's turnstile.
	sentAs     uint64         // the request's number at the siblings', once it was sent
	held       bool           // admitted, and nothing sent yet
	Turn       int            // counts the times that it was entered, put back or left
	TurnedAway limit.Decision // why the queue let go of the ticket, if it was not admitted
}

// Take makes pl a ticket in ln, not yet entered, for a request that costs what w says.
func (pl *Ticket) Take(ln *Queue, w limit.Waiter) {
	pl.Line, pl.Waiter = ln, w
	pl.Waiter.Tag = pl
}

// Free ends a ticket that was taken from an upstream's queues. Calling it again does nothing.
func (pl *Ticket) Free(now time.Time) {
	if pl.Taken {
		pl.Taken = false
		pl.Line.Home.Release(pl.Line, now)
	}
}

// Admitted reports whether pl holds a permit that was not used.
func (pl *Ticket) Admitted() bool {
	if pl.Line == nil {
		return false
	}
	ts := pl.Line.lock()
	defer ts.mu.Unlock()
	return pl.held
}

// Enter puts pl at the back of its queue.
func (ln *Queue) Enter(pl *Ticket, now time.Time) limit.Decision {
	ts := ln.lock()
	defer ts.mu.Unlock()
	pl.Turn++
	d := ts.limiter.Enter(now, &pl.Waiter)
	switch d.Reason {
	case limit.Admitted:
		ts.hold(pl)
	case limit.Queued:
		ts.queue(pl)
		ts.release(now)
	}
	return d
}

// Refused tells the limiter of a refusal, which puts pl back to the head of the queue.
func (ln *Queue) Refused(pl *Ticket, now time.Time, r limit.Refusal) limit.Decision {
	ts := ln.lock()
	defer ts.mu.Unlock()
	pl.Turn++
	ts.unhold(pl)
	d := ts.limiter.Refused(now, &pl.Waiter, r)
	ln.taught++
	if d.Reason == limit.Queued {
		ts.queue(pl)
	}
	ts.release(now)
	return d
}

// Predict returns how long pl would wait if it came now.
func (ln *Queue) Predict(pl *Ticket) time.Duration {
	ts := ln.lock()
	defer ts.mu.Unlock()
	return ts.limiter.Predict(time.Now(), &pl.Waiter)
}

// Believes takes in a bare refusal and reports whether it means a limit.
func (ln *Queue) Believes(now time.Time) bool {
	ts := ln.lock()
	defer ts.mu.Unlock()
	return ts.limiter.Believes(now)
}

// Repeated takes in a refusal of pl that it met before, and that proves nothing.
func (pl *Ticket) Repeated(now time.Time) {
	ts := pl.Line.lock()
	defer ts.mu.Unlock()
	ts.limiter.Repeated(now, &pl.Waiter)
	ts.release(now)
}

// Chance takes in a refusal that names a wait, and reports whether it hit at random.
func (ln *Queue) Chance(now time.Time, r limit.Refusal) bool {
	ts := ln.lock()
	defer ts.mu.Unlock()
	return ts.limiter.Chance(now, r)
}

func (ts *turnstile) queue(pl *Ticket) {
	ts.unhold(pl)
	pl.Queued = true
	pl.ready, pl.TurnedAway = make(chan struct{}), limit.Decision{}
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
	if pl.Line == nil {
		return
	}
	ts := pl.Line.lock()
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
	ts := pl.Line.lock()
	defer ts.mu.Unlock()
	if turn != pl.Turn {
		return
	}
	if pl.held {
		ts.unhold(pl)
		pl.sentAs = pl.Line.kin().Sent(pl.Line, now)
		if !pl.Line.proven.Load() {
			pl.Line.sentEarly(pl, now)
		}
	}
	if pl.Line.connect != nil {
		pl.Waiter.Connect = pl.Line.connect(now)
	}
	ts.limiter.Sent(now, &pl.Waiter)
	ts.release(now)
}

// Answered tells the limiter of an answer that was not a refusal.
func (pl *Ticket) Answered(now time.Time, told limit.Told) {
	ts := pl.Line.lock()
	ts.limiter.Answered(now, &pl.Waiter, told.Headers)
	ts.release(now)
	id := pl.sentAs
	ts.mu.Unlock()
	pl.Line.kin().answered(pl.Line, now, id, told)
}

// Rejected tells the limiter of an answer that found fault with the request itself.
func (pl *Ticket) Rejected(now time.Time) {
	ts := pl.Line.lock()
	defer ts.mu.Unlock()
	ts.limiter.Rejected(now, &pl.Waiter)
	ts.release(now)
}

// Heard tells of a refusal what it says about the account, before the limiter hears of it.
func (pl *Ticket) Heard(now time.Time, told limit.Told) {
	ts := pl.Line.lock()
	id := pl.sentAs
	ts.mu.Unlock()
	pl.Line.kin().answered(pl.Line, now, id, told)
}
