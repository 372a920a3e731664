package limit

import (
	"time"

	"outrigger/policy/limit/headers"
	"outrigger/policy/priority"
)

// Waiter is one request's place in the queue. The caller allocates it, sets the exported
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
	// Priority is how urgent it is. The zero value is normal.
	Priority priority.Priority
	// Caller tells those apart who take turns within a priority, such as a hash of who calls.
	Caller uint64
	// Tag is the caller's: what its admit function needs to find the request again.
	Tag any

	owner      *Limiter
	lane       *lane   // in which it waits
	next, prev *Waiter // neighbours there among those who came for the first time
	index      int     // place in the heap of those who came back
	seq        uint64  // order of first arrival: the moment, and never the same in one queue
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

// queued reports whether w is in the queue.
func (w *Waiter) queued() bool { return w.state == stateFresh || w.state == stateReturned }

// Until is when the wait in the queue must be over: the earlier of Deadline and the
// queue timeout, zero if there is neither. It holds after Enter. The queue drops a
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
	// Dismissed: what it waited for does not come; see Dismiss.
	Dismissed
	// Barred: a refusal proved that what it needs is not there for longer than Settings.Longest.
	Barred
	// Closing: its turn would come after the limiter has closed; see Close.
	Closing
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
	case Dismissed:
		return "dismissed"
	case Barred:
		return "barred"
	case Closing:
		return "closing"
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

// Settings are what an operator may say about one limiter. The zero value knows
// no limit, learns none, and lets everything through.
type Settings struct {
	// RPM and TPM are the known limits in requests and tokens per minute; 0 is unknown.
	// A configured limit is never exceeded, whatever the upstream says.
	RPM int `env:"RPM" envDefault:"0" min:"0" max:"1000000000" doc:"known requests per minute per credential and model; 0 learns it from answers"`
	TPM int `env:"TPM" envDefault:"0" min:"0" max:"1000000000000" doc:"known tokens per minute per credential and model; 0 learns it from answers"`
	// QueueMax is how many may wait at once; 0 is no bound. Those of a lower priority do not
	// count for a request. Requests that come back after a refusal are not turned away by it:
	// they had a place.
	QueueMax int `env:"QUEUE_MAX" envDefault:"10000" min:"1" max:"1000000" doc:"most requests that wait per limiter, of the same priority or a higher one"`
	// QueueTimeout is the longest wait in the queue; 0 waits to the request's deadline.
	QueueTimeout time.Duration `env:"QUEUE_TIMEOUT" envDefault:"off" off:"true" doc:"longest wait in line (off: to the request's deadline)"`
	// Longest is the longest named wait that anybody waits for (Barred); 0 is no bound. It is another
	// setting of the operator's.
	Longest time.Duration
	// Learn switches on learning from headers, texts and refusals. Without it only
	// RPM, TPM and the waits that refusals name count.
	Learn bool `env:"LEARN" envDefault:"true" doc:"learn limits from rate-limit headers, messages and refusals"`
}

// Headers are the rate-limit headers of one answer. See package headers.
type Headers = headers.Headers

// Reading is what such headers tell about one limit.
type Reading = headers.Reading

// ParseHeaders reads the rate-limit headers of an answer that came at now. Keys are canonical.
// Values that make no sense are counted and otherwise not there.
func ParseHeaders(h map[string][]string, now time.Time) Headers { return headers.Parse(h, now) }

// maxReset is the longest reset that is believed.
const maxReset = headers.MaxReset
