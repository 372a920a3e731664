package proxy

import (
	"container/list"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"outrigger/policy/limit"
)

// errQueueTimeout ends a wait in line that OUTRIGGER_QUEUE_TIMEOUT bounds.
var errQueueTimeout = errors.New("the longest wait in line passed")

// errTurnedAway ends the wait of a place that the line let go: the limit fell, and
// its turn would come too late.
var errTurnedAway = errors.New("the turn would come too late")

// line is one credential's and model's line. A place in it takes about 450 bytes, its
// channel included, and neither a timer nor a goroutine: each request has its own of
// net/http, which waits. Safe for concurrent use.
type line struct {
	connect   func(now time.Time) time.Duration // see lines
	key       lineKey
	slots     *slots
	answers   answerTimes
	turnstile atomic.Pointer[turnstile] // that it waits at, perhaps with others
	siblings  *siblings                 // set before proven
	sibling   *limit.Sibling            // under siblings.mu
	refusals  refusals
	proven    atomic.Bool // an answer showed that the model exists
	early     []earlySend // while it is not proven; under the lock of the limiter that it shares
	taught    int         // refusals that it told the limiter which it shares; under the lock of that

	// Under the lock of lines:
	home    *lines
	account *account
	users   int // requests that have a place in it
	uses    int // how many had
	size    int // in bytes
	kind    int // while nobody uses it, among which
	idle    [2]*list.Element
}

// newLine returns a line by itself.
func newLine(key lineKey, s limit.Settings, now time.Time) *line {
	ln := &line{key: key}
	ln.proven.Store(true)
	ln.turnstile.Store(&turnstile{limiter: limit.New(s, now), lines: []*line{ln}})
	return ln
}

// earlySend is a request that was sent while nothing showed that its model exists: the siblings
// are told of it once something does.
type earlySend struct {
	place *place
	at    time.Time
}

// maxEarly bounds them. The later ones tell more.
const maxEarly = 128

// sentEarly notes one. Locked, as its limiter is.
func (ln *line) sentEarly(pl *place, now time.Time) {
	if len(ln.early) >= maxEarly {
		ln.early = append(ln.early[:0], ln.early[maxEarly/2:]...)
	}
	ln.early = append(ln.early, earlySend{pl, now})
}

// kin are the siblings that it belongs to, nil if it may have none.
func (ln *line) kin() *siblings {
	if !ln.proven.Load() {
		return nil
	}
	return ln.siblings
}

// lock returns the line's turnstile, locked.
func (ln *line) lock() *turnstile {
	for {
		ts := ln.turnstile.Load()
		ts.mu.Lock()
		if ln.turnstile.Load() == ts {
			return ts
		}
		ts.mu.Unlock() // it moved meanwhile
	}
}

// place is a request's place in its line, for all its attempts, which follow each
// other. The transport's goroutines know it too: the news that a request was
// written may come when its attempt is long over and the next one under way.
type place struct {
	line   *line
	waiter limit.Waiter
	ready  chan struct{} // closed by the line when the place is admitted
	taken  bool          // and is to be freed
	queued bool          // in line, or admitted out of it and not yet told

	// Under the lock of the line's turnstile.
	sentAs     uint64         // the request's number at the siblings', once it was sent
	held       bool           // admitted, and nothing sent yet
	turn       int            // counts the times that it was entered, put back or left
	turnedAway limit.Decision // why the line let go of the place, if it was not admitted
}

// take makes pl a place in ln, not yet entered, for a request that costs what w says.
func (pl *place) take(ln *line, w limit.Waiter) {
	pl.line, pl.waiter = ln, w
	pl.waiter.Tag = pl
}

// free ends a place that was taken from an upstream's lines. Calling it again does nothing.
func (pl *place) free(now time.Time) {
	if pl.taken {
		pl.taken = false
		pl.line.home.release(pl.line, now)
	}
}

// admitted reports whether pl holds a permit that was not used.
func (pl *place) admitted() bool {
	if pl.line == nil {
		return false
	}
	ts := pl.line.lock()
	defer ts.mu.Unlock()
	return pl.held
}

// enter puts pl at the back of its line.
func (ln *line) enter(pl *place, now time.Time) limit.Decision {
	ts := ln.lock()
	defer ts.mu.Unlock()
	pl.turn++
	d := ts.limiter.Enter(now, &pl.waiter)
	switch d.Reason {
	case limit.Admitted:
		ts.hold(pl)
	case limit.Queued:
		ts.queue(pl)
		ts.release(now)
	}
	return d
}

// refused tells the limiter of a refusal, which puts pl back to the head of the line.
func (ln *line) refused(pl *place, now time.Time, r limit.Refusal) limit.Decision {
	ts := ln.lock()
	defer ts.mu.Unlock()
	pl.turn++
	ts.unhold(pl)
	d := ts.limiter.Refused(now, &pl.waiter, r)
	ln.taught++
	if d.Reason == limit.Queued {
		ts.queue(pl)
	}
	ts.release(now)
	return d
}

// predict returns how long pl would wait if it came now.
func (ln *line) predict(pl *place) time.Duration {
	ts := ln.lock()
	defer ts.mu.Unlock()
	return ts.limiter.Predict(time.Now(), &pl.waiter)
}

// believes takes in a bare refusal and reports whether it means a limit.
func (ln *line) believes(now time.Time) bool {
	ts := ln.lock()
	defer ts.mu.Unlock()
	return ts.limiter.Believes(now)
}

// repeated takes in a refusal of pl that it met before, and that proves nothing.
func (pl *place) repeated(now time.Time) {
	ts := pl.line.lock()
	defer ts.mu.Unlock()
	ts.limiter.Repeated(now, &pl.waiter)
	ts.release(now)
}

// chance takes in a refusal that names a wait, and reports whether it hit at random.
func (ln *line) chance(now time.Time, r limit.Refusal) bool {
	ts := ln.lock()
	defer ts.mu.Unlock()
	return ts.limiter.Chance(now, r)
}

func (ts *turnstile) queue(pl *place) {
	ts.unhold(pl)
	pl.queued = true
	pl.ready, pl.turnedAway = make(chan struct{}), limit.Decision{}
}

// wait returns when pl is admitted, with errQueueTimeout when its time in line
// is over, or with the cause of ctx's end.
func (pl *place) wait(ctx context.Context) error {
	if !pl.queued {
		return nil
	}
	var expired <-chan time.Time
	if until := pl.waiter.Until(); until.Before(pl.waiter.Deadline) || pl.waiter.Deadline.IsZero() && !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		expired = timer.C
	}
	err := errQueueTimeout
	select {
	case <-pl.ready:
		pl.queued = false
		if pl.turnedAway.Reason != limit.Admitted {
			return errTurnedAway
		}
		return nil
	case <-expired:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	pl.leave(time.Now())
	return err
}

// leave gives the place up, or the permit that was not used. Calling it again,
// or for a place whose request was sent, does nothing.
func (pl *place) leave(now time.Time) {
	if pl.line == nil {
		return
	}
	ts := pl.line.lock()
	defer ts.mu.Unlock()
	if !pl.queued && !pl.held {
		return
	}
	ts.unhold(pl)
	pl.queued = false
	pl.turn++
	ts.limiter.Leave(now, &pl.waiter)
	ts.release(now)
}

// sent tells the limiter that the request of a turn is on the wire.
func (pl *place) sent(now time.Time, turn int) {
	ts := pl.line.lock()
	defer ts.mu.Unlock()
	if turn != pl.turn {
		return
	}
	if pl.held {
		ts.unhold(pl)
		pl.sentAs = pl.line.kin().sent(pl.line, now)
		if !pl.line.proven.Load() {
			pl.line.sentEarly(pl, now)
		}
	}
	if pl.line.connect != nil {
		pl.waiter.Connect = pl.line.connect(now)
	}
	ts.limiter.Sent(now, &pl.waiter)
	ts.release(now)
}

// answered tells the limiter of an answer that was not a refusal.
func (pl *place) answered(now time.Time, told limit.Told) {
	ts := pl.line.lock()
	ts.limiter.Answered(now, &pl.waiter, told.Headers)
	ts.release(now)
	id := pl.sentAs
	ts.mu.Unlock()
	pl.line.kin().answered(pl.line, now, id, told)
}

// rejected tells the limiter of an answer that found fault with the request itself.
func (pl *place) rejected(now time.Time) {
	ts := pl.line.lock()
	defer ts.mu.Unlock()
	ts.limiter.Rejected(now, &pl.waiter)
	ts.release(now)
}

// heard tells of a refusal what it says about the account, before the limiter hears of it.
func (pl *place) heard(now time.Time, told limit.Told) {
	ts := pl.line.lock()
	id := pl.sentAs
	ts.mu.Unlock()
	pl.line.kin().answered(pl.line, now, id, told)
}
