package policy

import (
	"sync"
	"time"
)

// BreakerChange is a change of a breaker's state.
type BreakerChange struct {
	From, To BreakerState
	// Cause says why, for a reader.
	Cause string
	// Since is when the breaker left the closed state; zero at its opening.
	Since time.Time
}

// breakerTold is what a breaker is to tell of its changes. Under the breaker's lock, but for order.
type breakerTold struct {
	tell    func(BreakerChange) // nil tells nobody
	cause   string              // of the next opening
	pending []BreakerChange
	order   sync.Mutex // held while they are told, so that the last one told is the state
}

// OnChange has tell called after each change of state but those of Configure, one at a time.
// It must not use the breaker, and is to be set before anybody does.
func (b *Breaker) OnChange(tell func(BreakerChange)) { b.told.tell = tell }

// note keeps a change until it can be told. Called with mu held.
func (b *Breaker) note(from, to BreakerState) {
	if b.told.tell == nil || b.forced {
		return
	}
	c := BreakerChange{From: from, To: to, Since: b.since}
	switch {
	case to == HalfOpen:
		c.Cause = "it is time for a probe"
	case to == Closed:
		c.Cause = "a probe succeeded"
	case from == HalfOpen:
		c.Cause = "a probe failed"
	default:
		c.Cause, c.Since = b.told.cause, time.Time{}
	}
	b.told.pending = append(b.told.pending, c)
}

// unlock ends the hold of mu, and tells what changed in it.
func (b *Breaker) unlock() {
	if len(b.told.pending) == 0 {
		b.mu.Unlock()
		return
	}
	pending := b.told.pending
	b.told.pending = nil
	b.told.order.Lock()
	defer b.told.order.Unlock()
	b.mu.Unlock()
	for _, c := range pending {
		b.told.tell(c)
	}
}
