package limit

import "time"

// Waiter is one request's place in line. The caller allocates it, sets the exported
// fields before Enter and leaves them alone until the request is over. The same
// Waiter is used again for the next attempt of the same request, which then keeps
// its place before everyone who came later. The zero value is ready.
type Waiter struct {
	// Tokens is the estimated cost; below 0 counts as 0.
	Tokens int
	// Images is how many pictures are asked for.
	Images int
	// Deadline is when the request must have been admitted; zero is never.
	Deadline time.Time
	// Tag is the caller's own; the limiter hands it back and never looks at it.
	Tag any

	next, prev *Waiter // neighbours among those who came for the first time
	index      int     // place in the heap of those who came back
	seq        uint64  // order of first arrival, from 1
	state      state
	until      time.Time // the earlier of Deadline and the queue timeout
	admitted   time.Duration
	sent       time.Duration
	passed     int   // how many smaller ones went ahead while it was at the head
	passedCost int64 // what they cost in the bucket that held it up
	charge     [slots]int64
	mark       [slots]int64
}

// state is where a Waiter stands.
type state uint8

const (
	stateIdle state = iota
	stateFresh
	stateReturned
	stateAdmitted
	stateSent
)

// queued reports whether w is in line.
func (w *Waiter) queued() bool { return w.state == stateFresh || w.state == stateReturned }

// Until is when the wait in line must be over: the earlier of Deadline and the
// queue timeout, zero if there is neither. It holds after Enter. The line drops a
// waiter whose time has passed; ending the request's wait is up to the caller.
func (w *Waiter) Until() time.Time { return w.until }

// late reports whether w may no longer be admitted.
func (w *Waiter) late(now time.Time) bool { return !w.until.IsZero() && !now.Before(w.until) }

// cost is what w draws on in a slot, in whole requests, tokens or images.
func (w *Waiter) cost(s slot) int64 {
	switch s {
	case slotRequests, slotRequestsLong:
		return 1
	case slotImages:
		return int64(min(max(w.Images, 0), maxUnits))
	default:
		return int64(min(max(w.Tokens, 0), maxUnits))
	}
}

// Reason is what became of a request that asked to be let through.
type Reason uint8

// The reasons. The zero value is Admitted.
const (
	// Admitted: it may be sent now.
	Admitted Reason = iota
	// Queued: it waits; Release will hand it out.
	Queued
	// QueueFull: too many wait already.
	QueueFull
	// TooLate: the predicted wait outlasts its deadline or the queue timeout.
	TooLate
	// NeverFits: it alone is larger than a limit that is configured or proven.
	NeverFits
)

// String returns the reason in lower case, for logs and metrics.
func (r Reason) String() string {
	switch r {
	case Admitted:
		return "admitted"
	case Queued:
		return "queued"
	case QueueFull:
		return "queue_full"
	case TooLate:
		return "too_late"
	case NeverFits:
		return "never_fits"
	default:
		return "unknown"
	}
}

// Decision answers Enter and Refused.
type Decision struct {
	Reason Reason
	// Wait is the predicted wait, from now, of a request that was not admitted; for
	// QueueFull that of the one who would have come last. 0 for NeverFits.
	Wait time.Duration
}
