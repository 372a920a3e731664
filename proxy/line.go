package proxy

import (
	"context"
	"errors"
	"sync"
	"time"

	"outrigger/policy/limit"
)

// errQueueTimeout ends a wait in line that OUTRIGGER_QUEUE_TIMEOUT bounds.
var errQueueTimeout = errors.New("the longest wait in line passed")

// errTurnedAway ends the wait of a place that the line let go: the limit fell, and
// its turn would come too late.
var errTurnedAway = errors.New("the turn would come too late")

// line is one limiter's line with what policy leaves out: the lock, the one timer
// on which its head sleeps, and the waking. A place in it takes about 440 bytes, its
// channel included, and neither a timer nor a goroutine: each request has its own of
// net/http, which waits. Safe for concurrent use.
type line struct {
	mu      sync.Mutex
	limiter *limit.Limiter
	timer   *time.Timer
	wakeAt  time.Time
}

func newLine(s limit.Settings, now time.Time) *line {
	return &line{limiter: limit.New(s, now)}
}

func (ln *line) snapshot(now time.Time) limit.Snapshot {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.limiter.Snapshot(now)
}

// place is a request's place in its line, for all its attempts, which follow each
// other. The transport's goroutines know it too: the news that a request was
// written may come when its attempt is long over and the next one under way.
type place struct {
	line   *line
	waiter limit.Waiter
	ready  chan struct{} // closed by the line when the place is admitted
	queued bool          // in line, or admitted out of it and not yet told

	// Under the line's lock.
	held       bool           // admitted, and nothing sent yet
	turn       int            // counts the times that it was entered, put back or left
	turnedAway limit.Decision // why the line let go of the place, if it was not admitted
}

// take makes pl a place in ln, not yet entered, for a request that costs what w says.
func (pl *place) take(ln *line, w limit.Waiter) {
	pl.line, pl.waiter = ln, w
	pl.waiter.Tag = pl
}

// admitted reports whether pl holds a permit that was not used.
func (pl *place) admitted() bool {
	if pl.line == nil {
		return false
	}
	pl.line.mu.Lock()
	defer pl.line.mu.Unlock()
	return pl.held
}

// enter puts pl at the back of its line.
func (ln *line) enter(pl *place, now time.Time) limit.Decision {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	pl.turn++
	d := ln.limiter.Enter(now, &pl.waiter)
	switch d.Reason {
	case limit.Admitted:
		pl.held = true
	case limit.Queued:
		ln.queue(pl)
		ln.release(now)
	}
	return d
}

// refused tells the limiter of a refusal, which puts pl back to the head of the line.
func (ln *line) refused(pl *place, now time.Time, r limit.Refusal) limit.Decision {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	pl.turn++
	d := ln.limiter.Refused(now, &pl.waiter, r)
	if d.Reason == limit.Queued {
		ln.queue(pl)
	}
	ln.release(now)
	return d
}

// predict returns how long pl would wait if it came now.
func (ln *line) predict(pl *place) time.Duration {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.limiter.Predict(time.Now(), &pl.waiter)
}

// believes takes in a bare refusal and reports whether it means a limit.
func (ln *line) believes(now time.Time) bool {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.limiter.Believes(now)
}

func (ln *line) queue(pl *place) {
	pl.queued, pl.held = true, false
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
	pl.line.mu.Lock()
	defer pl.line.mu.Unlock()
	if !pl.queued && !pl.held {
		return
	}
	pl.queued, pl.held = false, false
	pl.turn++
	pl.line.limiter.Leave(now, &pl.waiter)
	pl.line.release(now)
}

// sent tells the limiter that the request of a turn is on the wire.
func (pl *place) sent(now time.Time, turn int) {
	pl.line.mu.Lock()
	defer pl.line.mu.Unlock()
	if turn != pl.turn {
		return
	}
	pl.held = false
	pl.line.limiter.Sent(now, &pl.waiter)
	pl.line.release(now)
}

// answered tells the limiter of an answer that was not a refusal.
func (pl *place) answered(now time.Time, h limit.Headers) {
	pl.line.mu.Lock()
	defer pl.line.mu.Unlock()
	pl.line.limiter.Answered(now, &pl.waiter, h)
	pl.line.release(now)
}

// release lets out all who may go now, turns away those who cannot be in time any
// more, and re-arms the timer for the next. Locked.
func (ln *line) release(now time.Time) {
	ln.limiter.Expel(now, func(w *limit.Waiter, d limit.Decision) {
		pl := w.Tag.(*place)
		pl.turnedAway = d
		close(pl.ready)
	})
	next := ln.limiter.Release(now, func(w *limit.Waiter) {
		pl := w.Tag.(*place)
		pl.held = true
		close(pl.ready)
	})
	switch {
	case next.Equal(ln.wakeAt):
		return
	case next.IsZero():
		ln.timer.Stop()
	case ln.timer == nil:
		ln.timer = time.AfterFunc(next.Sub(now), ln.wake)
	default:
		ln.timer.Reset(next.Sub(now))
	}
	ln.wakeAt = next
}

func (ln *line) wake() {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	ln.wakeAt = time.Time{}
	ln.release(time.Now())
}
