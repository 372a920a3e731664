package policy

import "time"

// BreakerState is what a breaker does with attempts. Its numbers are those of the
// metric outrigger_breaker_state. The zero value is Closed.
type BreakerState uint8

// The states, which are also gobreaker's.
const (
	Closed   BreakerState = iota // attempts pass
	HalfOpen                     // one at a time passes, to try
	Open                         // none passes
)

// String returns the state in lower case, for logs.
func (s BreakerState) String() string {
	switch s {
	case Closed:
		return "closed"
	case HalfOpen:
		return "half-open"
	case Open:
		return "open"
	default:
		return "unknown"
	}
}

// State returns the state at this moment. Read it when it is wanted: a state that
// was stored at a change still says open when the time to probe has come.
func (b *Breaker) State() BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state()
}

// state is State. Called with mu held. The numbers are gobreaker's too.
func (b *Breaker) state() BreakerState { return BreakerState(b.cb.State()) }

// ProbeAt returns when the next probe may go: the zero time while closed, a time
// past when one may go already, and while a probe is under way the time at which
// its place is given to another. An Allow at that very time is granted.
func (b *Breaker) ProbeAt() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.probeAt(b.state())
}

func (b *Breaker) probeAt(s BreakerState) time.Time {
	switch {
	case s == Closed:
		return time.Time{}
	case b.probe != nil:
		return b.probe.started.Add(b.patience())
	default:
		return b.opened.Add(b.config.Open + 1) // gobreaker waits for longer than Open
	}
}

// OpenSince returns when the breaker last left the closed state, zero if it never did.
func (b *Breaker) OpenSince() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.since
}

// Patience returns how long a probe may be silent before the next one goes: Open at
// first, and half as long after each silent one.
func (b *Breaker) Patience() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.patience()
}

// BreakerSnapshot is what a breaker knows, for metrics and the status page.
type BreakerSnapshot struct {
	State BreakerState
	// Successes and Failures are those of the window; both start over at each change of state.
	Successes, Failures int
	// InARow is the number of failures since the last success.
	InARow int
	// Opens counts how often the breaker has opened.
	Opens uint64
	// ProbeAt is as of the method.
	ProbeAt time.Time
}

// Snapshot returns what b knows at this moment.
func (b *Breaker) Snapshot() BreakerSnapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state() // first: it moves the window, which Counts does not
	c := b.cb.Counts()
	return BreakerSnapshot{
		State: s, Successes: int(c.TotalSuccesses), Failures: int(c.TotalFailures),
		InARow: b.inARow, Opens: b.opens, ProbeAt: b.probeAt(s),
	}
}
