package proxy

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Inflight knows the calls under way and ends them when the process does. Safe for concurrent use.
type Inflight struct {
	begun  atomic.Bool
	mu     sync.Mutex
	active map[*Life]struct{}
	end    time.Time // when a drain ends; zero while nothing ends
}

func newInflight() *Inflight { return &Inflight{active: map[*Life]struct{}{}} }

// add counts l among the calls under way.
func (d *Inflight) add(l *Life) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.active[l] = struct{}{}
	l.inflight = d
}

// remove says that nothing of l is left to be done.
func (d *Inflight) remove(l *Life) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.active, l)
}

// replace lets by stand for l: a call and its caller are one request. It returns what ended l.
func (d *Inflight) replace(l, by *Life) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.active, l)
	d.active[by] = struct{}{}
	by.inflight = d
}

// count is the number of calls under way.
func (d *Inflight) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.active)
}

// cancel ends all calls under way, with cause.
func (d *Inflight) cancel(cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for l := range d.active {
		l.cancel(fmt.Errorf("%w: %w", errDraining, cause))
		if l.interrupt != nil {
			l.interrupt()
		}
	}
}

// turnAway ends the calls whose present wait ends after until, and later waits that would.
func (d *Inflight) turnAway(until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end = until
	for l := range d.active {
		if l.awaits.After(until) {
			l.cancel(errors.Join(errDraining, errClosing))
		}
	}
}

// reading says how to end the reading of the caller's body; nil, that it is over.
func (l *Life) reading(interrupt func()) {
	l.inflight.mu.Lock()
	defer l.inflight.mu.Unlock()
	l.interrupt = interrupt
}

// waitsUntil notes when the wait that begins now ends at the soonest, and refuses one that
// a drain would cut off.
func (l *Life) waitsUntil(end time.Time) error {
	l.inflight.mu.Lock()
	defer l.inflight.mu.Unlock()
	if !l.inflight.end.IsZero() && end.After(l.inflight.end) {
		return outlastsDrain()
	}
	l.awaits = end
	return nil
}

// waitsNoMore says that the wait is over.
func (l *Life) waitsNoMore() {
	l.inflight.mu.Lock()
	defer l.inflight.mu.Unlock()
	l.awaits = time.Time{}
}

// outlastsDrain is the refusal of a call whose turn would come after the drain's end.
func outlastsDrain() error {
	return errors.Join(errDraining, fail("draining", "Outrigger is shutting down, and the turn of this call would come later than that. "+
		"Send it again.").after(time.Second))
}
