package proxy

import (
	"time"

	"outrigger/policy"
)

// outrunShare is how many others must have passed for each that was refused.
const outrunShare = 4

// isOutrun reports whether others passed since the request was last refused, and few of
// them were refused: what refuses it is no limit of theirs.
func (x *exchange) isOutrun() bool {
	s, known := &x.setbacks, &x.place.line.refusals
	refused, passed := known.refused.Load()-s.otherRefused-s.own, known.passed.Load()-s.otherPassed
	return s.alone > 0 && known.lastPassed.Load() > s.refused.UnixNano() && refused*outrunShare <= passed
}

// What a request that was refused without a wait does for those that were not refused yet.
const (
	stepMost  = 35 * time.Second       // the longest it lets them go first: the limiter tries about every 30 s
	stepPause = 100 * time.Millisecond // between two looks
)

// stepAside takes a request that was refused again out of the queue, if somebody waits there
// who was not refused yet. One that is refused for itself would hold up all others at
// the head. It comes back to its place; see letOthersFirst.
func (x *exchange) stepAside(d policy.Decision, now time.Time) policy.Decision {
	if x.setbacks.own > 0 && d.Action == policy.Line && x.place.line.refusals.fresh.Load() > 0 {
		x.place.leave(now)
	}
	return d
}

// letOthersFirst waits until somebody who was not refused yet was sent since the request was
// refused, if there is one.
func (x *exchange) letOthersFirst() error {
	s := &x.setbacks
	if s.own < 2 {
		return nil
	}
	known := &x.place.line.refusals
	for now := time.Now(); known.fresh.Load() > 0 && known.lastFresh.Load() < s.refused.UnixNano() && now.Sub(s.refused) < stepMost; now = time.Now() {
		if err := x.sleep(stepPause); err != nil {
			return err
		}
		x.record.queue += time.Since(now)
	}
	if !x.probe && x.tripped(time.Now()) {
		return errTripped // meanwhile: those in the queue were let go
	}
	return nil
}

// isAlone reports whether the request is refused again and again while others pass.
func (x *exchange) isAlone(known *refusals, now time.Time) bool {
	s := &x.setbacks
	passed, refused := known.passed.Load(), known.refused.Load()
	switch {
	case s.alone == 0:
		s.alone, s.otherPassed, s.otherRefused = 1, passed, refused
	case known.lastPassed.Load() > s.refused.UnixNano():
		s.alone++
	}
	s.refused = now
	others := refused - s.otherRefused - s.own
	s.own++
	return policy.Alone(s.alone, int(passed-s.otherPassed), int(others))
}
