package admission

import (
	"container/list"
	"sync/atomic"
	"time"

	"outrigger/policy/limit"
)

// Queue is the queue of one credential and model. A ticket in it takes about 450 bytes, its
// channel included, and neither a timer nor a goroutine: each request has its own of
// net/http, which waits. Safe for concurrent use.
type Queue struct {
	connect      func(now time.Time) time.Duration // see Queues.Connect
	key          Key
	Slots        *Slots
	Answers      answerTimes
	scheduler    atomic.Pointer[scheduler] // that it waits at, perhaps with others
	sharedQuotas *sharedQuotas             // set before proven
	sibling      *limit.Sibling            // under sharedQuotas.mu
	Refusals     Refusals
	proven       atomic.Bool // an answer showed that the model exists
	early        []earlySend // while it is not proven; under the lock of the limiter that it shares
	taught       int         // refusals that it told the limiter which it shares; under the lock of that

	// Under Queues.Mu:
	Home    *Queues
	account *account
	users   int // requests that have a ticket in it
	uses    int // how many had
	size    int // in bytes
	kind    int // while nobody uses it, among which
	idle    [2]*list.Element
}

// newQueue returns a line by itself.
func newQueue(key Key, s limit.Settings, now time.Time) *Queue {
	ln := &Queue{key: key}
	ln.proven.Store(true)
	ln.scheduler.Store(&scheduler{limiter: limit.New(s, now), lines: []*Queue{ln}})
	return ln
}

// earlySend is a request that was sent while nothing showed that its model exists: the sharedQuotas
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

// kin are the sharedQuotas that it belongs to, nil if it may have none.
func (ln *Queue) kin() *sharedQuotas {
	if !ln.proven.Load() {
		return nil
	}
	return ln.sharedQuotas
}

// lock returns the queue's scheduler, locked.
func (ln *Queue) lock() *scheduler {
	for {
		ts := ln.scheduler.Load()
		ts.mu.Lock()
		if ln.scheduler.Load() == ts {
			return ts
		}
		ts.mu.Unlock() // it moved meanwhile
	}
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
	defer ts.unlock(ln, now)
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

// Chance takes in a refusal that names a wait, and reports whether it hit at random.
func (ln *Queue) Chance(now time.Time, r limit.Refusal) bool {
	ts := ln.lock()
	defer ts.mu.Unlock()
	return ts.limiter.Chance(now, r)
}

func (ts *scheduler) queue(pl *Ticket) {
	ts.unhold(pl)
	pl.Queued = true
	pl.ready, pl.TurnedAway = make(chan struct{}), limit.Decision{}
}
