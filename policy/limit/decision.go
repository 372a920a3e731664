package limit

import "time"

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
