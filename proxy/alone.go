package proxy

import (
	"time"

	"outrigger/policy"
)

// isOutrun reports whether others passed since the request was last refused, and none of
// them was refused: what refuses it is no limit of theirs.
func (x *exchange) isOutrun() bool {
	s, known := &x.setbacks, &x.place.line.refusals
	return s.alone > 0 && known.lastPassed.Load() > s.refused.UnixNano() && known.refused.Load() == s.otherRefused+s.own
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
