package limit

import "time"

// Waiter is one request's place in line. The caller allocates it, sets the exported
// fields before Enter and leaves them alone until the request is over. The same
// Waiter is used again for the next attempt of the same request, which then keeps
// its place before everyone who came later. The zero value is ready. It must not be
// copied while it waits.
type Waiter struct {
	// Tokens is the estimated cost; below 0 counts as 0.
	Tokens int
	// Images is how many pictures are asked for; below 0 counts as 0.
	Images int
	// Unbounded says that the request sets no bound to its output, so that the upstream may
	// charge an amount of its own for that.
	Unbounded bool
	// Deadline is when the request must have been admitted; zero is never.
	Deadline time.Time
	// Connect is how long it takes at the least to connect to the upstream, 0 when that is
	// not known. It may be set until Sent.
	Connect time.Duration
	// Tag is the caller's: what its admit function needs to find the request again.
	Tag any

	owner      *Limiter
	next, prev *Waiter // neighbours among those who came for the first time
	index      int     // place in the heap of those who came back
	seq        uint64  // order of first arrival: the moment, and never the same in one line
	state      state
	probing    bool      // sent although a header said that nothing was left
	disbelief  bool      // was refused once with a wait that nothing proves
	until      time.Time // the earlier of Deadline and the queue timeout
	admitted   time.Duration
	sent       time.Duration
	passed     int   // how many smaller ones went ahead while it was at the head
	passedCost int64 // what they cost in the bucket that held it up
	charge     [slots]int64
	mark       [units]int64 // all that had been sent when it was, itself included
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

// outlasts reports whether a wait that starts now ends too late for w.
func (w *Waiter) outlasts(now time.Time, wait time.Duration) bool {
	return !w.until.IsZero() && wait >= w.until.Sub(now)
}

// cost is what w asks for, in whole requests, tokens or images.
func (w *Waiter) cost(u unit) int64 {
	switch u {
	case unitToken:
		return int64(min(max(w.Tokens, 0), maxUnits))
	case unitImage:
		return int64(min(max(w.Images, 0), maxUnits))
	case unitUnbounded:
		if !w.Unbounded {
			return 0
		}
		return 1
	default:
		return 1
	}
}
