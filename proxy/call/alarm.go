package call

import (
	"sync"
	"time"
)

// Alarm calls a function once, when a time has come that may be put off meanwhile. It is
// asked for that time only when it would ring: what puts it off, each piece of a
// body, costs nothing here. Safe for concurrent use; the zero value never rings.
type Alarm struct {
	of alarmed

	mu    sync.Mutex
	timer *time.Timer // nil once it rang or was stopped
}

// alarmed has an alarm.
type alarmed interface {
	Due() time.Time // when it is to ring, as it is now
	Ring()
}

// Set sets the alarm of of, which had none or one that is over.
func (a *Alarm) Set(of alarmed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of = of
	a.timer = time.AfterFunc(time.Until(of.Due()), a.look)
}

// look rings, or waits on if the time was put off.
func (a *Alarm) look() {
	if a.over() {
		a.of.Ring()
	}
}

// over reports whether it is time to ring, which it then never is again.
func (a *Alarm) over() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil {
		return false
	}
	if wait := time.Until(a.of.Due()); wait > 0 {
		a.timer.Reset(wait)
		return false
	}
	a.timer = nil
	return true
}

// Stop ends the alarm. If it rings at this moment, it may have rung on return.
func (a *Alarm) Stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
