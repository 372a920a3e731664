package call

import (
	"sync"
	"time"
)

// Alarm calls a function once, when a time has come that may be put off meanwhile. It is
// asked for that time only when it would ring: what puts it off, each piece of a
// body, costs nothing here. Safe for concurrent use; nil never rings.
type Alarm struct {
	due  func() time.Time
	ring func()

	mu    sync.Mutex
	timer *time.Timer // nil once it rang or was stopped
}

// NewAlarm sets an alarm that calls ring at due.
func NewAlarm(due func() time.Time, ring func()) *Alarm {
	a := &Alarm{due: due, ring: ring}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer = time.AfterFunc(time.Until(due()), a.look)
	return a
}

// look rings, or waits on if the time was put off.
func (a *Alarm) look() {
	if a.over() {
		a.ring()
	}
}

// over reports whether it is time to ring, which it then never is again.
func (a *Alarm) over() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil {
		return false
	}
	if wait := time.Until(a.due()); wait > 0 {
		a.timer.Reset(wait)
		return false
	}
	a.timer = nil
	return true
}

// Stop ends the alarm. If it rings at this moment, it may have rung on return.
func (a *Alarm) Stop() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
