package call

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/proxy/apierror"
)

// Inflight knows the calls under way and ends them when the process does. Safe for concurrent use.
type Inflight struct {
	Begun  atomic.Bool // a drain has begun
	mu     sync.Mutex
	active map[*Life]struct{}
	began  time.Time // when a drain did
	end    time.Time // when a drain ends; zero while nothing ends
}

// Begin says that a drain begins now.
func (d *Inflight) Begin(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.Begun.Swap(true) {
		d.began = now
	}
}

// Drain returns when a drain began, and when it ends what is left; both are zero where that is
// not known.
func (d *Inflight) Drain() (time.Time, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.began, d.end
}

// NewInflight returns one that knows no calls.
func NewInflight() *Inflight { return &Inflight{active: map[*Life]struct{}{}} }

// Add counts l among the calls under way.
func (d *Inflight) Add(l *Life) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.active[l] = struct{}{}
	l.inflight = d
}

// Remove says that nothing of l is left to be done.
func (d *Inflight) Remove(l *Life) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.active, l)
}

// Replace lets by stand for l: a call and its caller are one request. It returns what ended l.
func (d *Inflight) Replace(l, by *Life) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.active, l)
	d.active[by] = struct{}{}
	by.inflight = d
}

// Count is the number of calls under way.
func (d *Inflight) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.active)
}

// Cancel ends all calls under way, with cause.
func (d *Inflight) Cancel(cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for l := range d.active {
		l.Cancel(fmt.Errorf("%w: %w", apierror.ErrDraining, cause))
		if l.interrupt != nil {
			l.interrupt()
		}
	}
}

// TurnAway ends the calls whose present wait ends after until, and later waits that would.
func (d *Inflight) TurnAway(until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end = until
	for l := range d.active {
		if l.awaits.After(until) {
			l.Cancel(errors.Join(apierror.ErrDraining, apierror.ErrClosing))
		}
	}
}

// Reading says how to end the reading of the caller's body; nil, that it is over.
func (l *Life) Reading(interrupt func()) {
	l.inflight.mu.Lock()
	defer l.inflight.mu.Unlock()
	l.interrupt = interrupt
}

// WaitsUntil notes when the wait that begins now ends at the soonest, and refuses one that
// a drain would cut off.
func (l *Life) WaitsUntil(end time.Time) error {
	l.inflight.mu.Lock()
	defer l.inflight.mu.Unlock()
	if !l.inflight.end.IsZero() && end.After(l.inflight.end) {
		return OutlastsDrain()
	}
	l.awaits = end
	return nil
}

// WaitsNoMore says that the wait is over.
func (l *Life) WaitsNoMore() {
	l.inflight.mu.Lock()
	defer l.inflight.mu.Unlock()
	l.awaits = time.Time{}
}

// OutlastsDrain is the refusal of a call whose turn would come after the drain's end.
func OutlastsDrain() error {
	return errors.Join(apierror.ErrDraining, apierror.New(apierror.Draining, "Outrigger is shutting down, and the turn of this call would come later than that. "+
		"Send it again.").After(time.Second))
}
