package policy

import "time"

// Ahead is what is known of a request when an attempt is about to begin.
type Ahead struct {
	// Retries is how many retries were counted before at this upstream.
	Retries int
	// Left is the time to the deadline; 0 is without end.
	Left time.Duration
	// Replayable is whether the request can be sent again whole.
	Replayable bool
	// Create is whether the request creates something.
	Create bool
	// Elsewhere is whether another upstream would be tried after a timeout here.
	Elsewhere bool
}

// AttemptTimeout returns how long the attempt ahead may be silent, 0 for as long as the
// request may take: timeout, unless the attempt is the last possible one. To cut that one
// off gains nothing, and may lose an answer that is only late. It is the last one if
//   - the request cannot be sent again,
//   - it is a create, of which nobody knows after a timeout whether it was carried out (Creates
//     says if it is repeated all the same; another upstream is not asked in any case),
//   - no other upstream would be tried, and all retries were made, or what the deadline leaves
//     after the timeout is less than such an attempt may take,
//   - another upstream would be tried, but hardly a moment is left for it.
//
// Whether the retry budget would have paid for another attempt is not known before.
func (r Retry) AttemptTimeout(timeout time.Duration, a Ahead) time.Duration {
	left := forever
	if a.Left != 0 {
		left = a.Left - timeout
	}
	switch {
	case timeout <= 0, !a.Replayable, a.Create && r.Creates != CreatesAlways:
		return 0
	case a.Elsewhere && !a.Create:
		if left <= failoverLeft {
			return 0
		}
	case a.Retries >= r.Max, left < timeout:
		return 0
	}
	return timeout
}
