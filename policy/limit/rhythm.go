package limit

import (
	"time"

	"outrigger/policy/limit/counts"
)

// shareLengths are how long shares last.
var shareLengths = [...]time.Duration{time.Second, 10 * time.Second, time.Minute}

const (
	// shareFit is how far off the size of a share it may be what was let through of it.
	shareFit = 0.25
	// shareProof is how many requests' time a wait must be over what refusals may have
	// used up, to come from the end of a share and not from the rate.
	shareProof = 1
	// shareTry is how long refusals may take for shares to be tried after a burst was
	// refused with a wait that is too short to tell: little is on its way then when
	// the refusal comes.
	shareTry = 50 * time.Millisecond
)

// rhythm takes in a refusal of w that begins an episode, with the wait it named. A
// wait that is longer than the rate explains tells when the next share begins, and one
// that ends a burst may; a refusal amid a share tells that there are none.
func (l *Limiter) rhythm(now time.Time, w *Waiter, b *bucket, r Refusal, burst bool) {
	s, t, hint := &b.shares, now.Sub(l.start), r.Hint
	if s.on {
		if w.admitted >= s.begun && !l.confirms(t, w, b, hint) {
			b.noShares(now, t)
		}
		return
	}
	rate := b.known()
	if b.window > time.Minute || t < s.wrong {
		return
	}
	if rate <= 0 {
		l.trial(t, w, b, hint)
		return
	}
	lost := l.recent.Lost(t, counts.Requests)
	long := hint.Seconds() > float64(lost+shareProof)/rate
	if !long && (!burst || hint <= 0 || l.latency > shareTry) {
		return
	}
	length := l.shareLength(w, t, hint, b)
	if length == 0 || r.resets() && length > time.Second && length != b.window || rate*length.Seconds() < shareLeast {
		return
	}
	*s = shares{on: true, length: length, over: spread(length), phase: t + hint, begun: never, owed: lost * milli}
}

// confirms reports whether the refusal of w amid a share may be that of its end.
func (l *Limiter) confirms(t time.Duration, w *Waiter, b *bucket, hint time.Duration) bool {
	s := &b.shares
	through := (w.mark[unitRequest] - 1 - s.base) * milli
	if s.tried() {
		return l.tried(t, w, b, through, hint)
	}
	if s.ended(through, b.share()) {
		return false
	}
	if b.known() == 0 {
		size := max(float64(through+s.less), shareWhole*float64(b.share()))
		b.estimate.reset(size/milli/s.length.Seconds(), t)
	}
	return true
}

// shareLength returns how long a share lasts that ends hint after t: of those that can
// be, the shortest that gives out what was let through of it before w was refused. 0 is
// none.
func (l *Limiter) shareLength(w *Waiter, t, hint time.Duration, b *bucket) time.Duration {
	for _, length := range shareLengths {
		if length < hint || b.ceiling > 0 && length > time.Second {
			continue
		}
		size := b.known() * length.Seconds()
		let := float64(l.passed(w, t+hint-length))
		// Of a second too little is known to ask for more than that not too much went.
		if let <= (1+shareFit)*size && (let >= (1-shareFit)*size || length == time.Second) {
			return length
		}
	}
	return 0
}

// noShares ends belief in shares for a while.
func (b *bucket) noShares(now time.Time, t time.Duration) {
	b.shares = shares{wrong: t + tightTime}
	b.dry = time.Time{}
	b.set(now, 0)
}
