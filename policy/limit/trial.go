package limit

import (
	"slices"
	"time"

	"outrigger/policy/limit/counts"
)

// Where no limit is known, the first wait that a refusal names may be that for a rate, or
// for the next share. So once it is over, as much is sent as had been let through, and
// more until something is refused: of shares that tells how long one lasts and how much
// it holds.
const (
	// trialHint is how long a wait must be to be worth a trial: shorter ones are a rate's.
	trialHint = 100 * time.Millisecond
	// trialBack is how far back what was let through counts as one burst.
	trialBack = 10 * time.Second
	// trialPart is which part of what had been let through of the share before must be so
	// again. Where waits are rounded up it is less, since that may be one of two shares.
	trialPart        = 0.7
	trialPartRounded = 0.4
	// trialLeast is how many that must be: fewer say nothing.
	trialLeast = 10
	// trialSpread is how many times longer than a refusal takes a share goes out, so that
	// little is on its way when the first one comes.
	trialSpread = 4
)

// trial begins to look for shares with the refusal of w at t.
func (l *Limiter) trial(t time.Duration, w *Waiter, b *bucket, hint time.Duration) {
	size := l.passed(w, max(0, t-trialBack))
	if hint < trialHint || size < trialLeast || l.latency > shareTry && hint%time.Second == 0 {
		return // a wait that is rounded up is too little to send much for that is refused late
	}
	over := max(shareSpread, trialSpread*l.latency)
	b.shares = shares{on: true, size: size * milli, over: over, phase: t + hint, begun: never, owed: l.recent.Lost(t, counts.Requests) * milli}
}

// tried ends a trial with the refusal of w, which was sent when through had been let
// through of the share. It reports whether there are shares: the one before it must have
// been about as large.
func (l *Limiter) tried(t time.Duration, w *Waiter, b *bucket, through int64, hint time.Duration) bool {
	s, part := &b.shares, trialPart
	length := max(time.Second, (t + hint - s.begun).Round(time.Second))
	from := s.phase - length - l.latency
	if hint%time.Second == 0 { // rounded up, as the one before was
		length = max(time.Second, (w.sent + hint - s.begun).Truncate(time.Second))
		from, part = s.phase-length-l.latency-time.Second, trialPartRounded
	}
	before := int64(l.history.Since(from)-l.history.Since(s.phase)) * milli
	size := through
	if all := through + s.prior; s.prior > 0 && all <= before && float64(all) >= shareWhole*float64(before) {
		s.counts, size = true, all
	}
	if hint == 0 || size < trialLeast || float64(size) < part*float64(before) || !slices.Contains(shareLengths[:], length) {
		return false
	}
	s.length, s.over = length, spread(length)
	b.estimate.reset(float64(size)/milli/length.Seconds(), t)
	return true
}

// passed is what was let through from a time on until w was sent.
func (l *Limiter) passed(w *Waiter, from time.Duration) int64 {
	return int64(l.history.Since(from)) - (l.sent[unitRequest] - w.mark[unitRequest])
}
