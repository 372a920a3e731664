package admission

import (
	"sync"
	"time"

	"outrigger/policy/limit"
)

// scheduler is one limiter with what policy leaves out: the lock, the one timer on which
// the head of its queue sleeps, and the waking. Queues that were found to share one account
// share it. Safe for concurrent use.
type scheduler struct {
	mu      sync.Mutex
	limiter *limit.Limiter
	timer   *time.Timer
	wakeAt  time.Time

	lines []*Queue // that share it; under sharedQuotas.moving
	// held are those who are admitted and whose request was not sent yet, where some may
	// part from the others; else it is nil.
	held map[*Ticket]struct{}

	fleet      Fleet   // nil if it shares its limits with no other process
	leasesFrom Account // in the fleet
	asks       int     // counts the accounts that it leased from: what another was asked is for nobody
}

// release lets out all who may go now, turns away those who cannot be in time any
// more, and re-arms the timer for the next. Locked.
func (ts *scheduler) release(now time.Time) {
	if ts.fleet != nil {
		ts.follow(now)
	}
	ts.limiter.Expel(now, func(w *limit.Waiter, d limit.Decision) {
		pl := w.Tag.(*Ticket)
		pl.TurnedAway = d
		close(pl.ready)
	})
	next := ts.limiter.Release(now, func(w *limit.Waiter) {
		pl := w.Tag.(*Ticket)
		ts.hold(pl)
		close(pl.ready)
	})
	if ts.fleet != nil {
		if again := ts.lease(now); !again.IsZero() && (next.IsZero() || again.Before(next)) {
			next = again
		}
	}
	switch {
	case next.Equal(ts.wakeAt):
		return
	case next.IsZero():
		if ts.timer != nil {
			ts.timer.Stop()
		}
	case ts.timer == nil:
		ts.timer = time.AfterFunc(next.Sub(now), ts.wake)
	default:
		ts.timer.Reset(next.Sub(now))
	}
	ts.wakeAt = next
}

// hold notes that pl has a permit, unhold that it has not. Locked.
func (ts *scheduler) hold(pl *Ticket) {
	pl.held = true
	if ts.held != nil {
		ts.held[pl] = struct{}{}
	}
}

func (ts *scheduler) unhold(pl *Ticket) {
	pl.held = false
	if ts.held != nil {
		delete(ts.held, pl)
	}
}

// unlock ends the hold of mu, and tells what the limiter has learned by what happened to ln.
func (ts *scheduler) unlock(ln *Queue, now time.Time) {
	var news []limit.News
	if ln.Home != nil && ln.Home.Tell != nil {
		news = ts.limiter.News(now)
	}
	ts.mu.Unlock()
	for _, n := range news {
		ln.Home.Tell(ln.key, n)
	}
}

// configure puts other settings into force.
func (ts *scheduler) configure(s limit.Settings, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.limiter.Configure(now, s)
	ts.release(now)
}

func (ts *scheduler) wake() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.wakeAt = time.Time{}
	ts.release(time.Now())
}

func (ts *scheduler) snapshot(now time.Time) limit.Snapshot {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.limiter.Snapshot(now)
}

// absorb lets ts do what other did: its queues and all who wait there are ts's. The
// caller moves the queues, and is the only one that holds two turnstiles.
func (ts *scheduler) absorb(other *scheduler, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	other.mu.Lock()
	defer other.mu.Unlock()
	ts.limiter.Absorb(now, other.limiter)
	if other.timer != nil {
		other.timer.Stop()
	}
	other.wakeAt = time.Time{}
	for _, ln := range other.lines {
		ln.scheduler.Store(ts)
	}
	ts.lines, other.lines = append(ts.lines, other.lines...), nil
	ts.release(now)
}

// split gives ln a scheduler of its own again, with those who wait in it.
func (ts *scheduler) split(ln *Queue, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	own := &scheduler{lines: []*Queue{ln}}
	own.mu.Lock()
	defer own.mu.Unlock()
	own.limiter = ts.limiter.Split(now, func(w *limit.Waiter) bool { return w.Tag.(*Ticket).Queue == ln })
	ln.scheduler.Store(own)
	ts.remove(ln)
	ts.release(now)
	own.release(now)
}

// remove forgets a queue. Under sharedQuotas.moving.
func (ts *scheduler) remove(ln *Queue) {
	for i, x := range ts.lines {
		if x == ln {
			ts.lines = append(ts.lines[:i:i], ts.lines[i+1:]...)
			return
		}
	}
}
