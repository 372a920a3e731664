package loop

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/attempt"
	"outrigger/proxy/observe"
)

// A refusal that proves nothing of the rate is taken for its own request's trouble: that waits
// beside the queue, and those who were not refused yet show whether others pass.

// outrunShare is how many others must have passed for each that was refused.
const outrunShare = 4

// isOutrun reports whether others passed since the request was last refused, and few of
// them were refused: what refuses it is no limit of theirs. Only their first attempts are
// counted, since others may be refused for themselves, too, again and again.
func (x *Run) isOutrun() bool {
	s, known := &x.setbacks, &x.Place.Line.Refusals
	refused, passed := known.Refused.Load()-s.otherRefused, known.Passed.Load()-s.otherPassed
	return s.alone > 0 && known.LastPassed.Load() > s.refused.UnixNano() && refused*outrunShare <= passed
}

// concernsItself takes in a refusal, and reports whether it is to be taken for its own request's
// trouble. One that proves nothing counts once for each request, until others meet the same:
// a limit refuses whoever comes.
func (x *Run) concernsItself(r limit.Refusal, now time.Time) bool {
	s, line := &x.setbacks, x.Place.Line
	s.unproven = r.Unproven()
	switch {
	case s.unproven && s.own > 0 && (x.isOutrun() || line.Refusals.FreshRefused.Load() <= s.refused.UnixNano()):
		x.Place.Repeated(now)
		return true
	case r.Bare():
		return !line.Believes(now)
	}
	return line.Chance(now, r)
}

// What a request that was refused does for those that were not refused yet.
const (
	stepMost  = 35 * time.Second       // the longest it lets them go first: the limiter tries about every 30 s
	stepPause = 100 * time.Millisecond // between two looks
	// stepQuiet is how long silence about one of them is awaited: answers may take minutes,
	// and refusals hardly ever take longer.
	stepQuiet = 500 * time.Millisecond
)

// stepAside takes a request whose refusal proves nothing out of the queue, at the head of which
// it would hold up all others if it is refused for itself. It comes back to its place;
// see letOthersFirst.
func (x *Run) stepAside(a *attempt.Attempt, d policy.Decision, now time.Time) policy.Decision {
	if d.Action == policy.Line {
		x.Place.Leave(now)
	}
	return x.backOff(a, d, now)
}

// letOthersFirst waits until somebody who was not refused yet has passed since the request
// was, if there is one who waits.
func (x *Run) letOthersFirst() error {
	s := &x.setbacks
	if s.own == 0 {
		return nil
	}
	known, start := &x.Place.Line.Refusals, time.Now()
	refused, quiet := s.refused.UnixNano(), time.Time{}
	for now := start; known.Fresh.Load() > 0 && known.LastPassed.Load() < s.refused.UnixNano() && now.Sub(s.refused) < stepMost; now = time.Now() {
		if at := known.FreshRefused.Load(); at > refused {
			refused, quiet = at, time.Time{}
		}
		if sent := known.LastFresh.Load() > refused; sent && quiet.IsZero() {
			quiet = now
		} else if sent && now.Sub(quiet) >= stepQuiet {
			break
		}
		if err := x.Sleep(stepPause); err != nil {
			return err
		}
	}
	x.Record.Queue += x.waited(observe.SpanQueue, observe.QueueOthers, start)
	if !x.probe && x.tripped(&x.Facing, time.Now()) {
		return errTripped // meanwhile: those in the queue were let go
	}
	return nil
}

// isAlone reports whether the request is refused again and again while others pass.
func (x *Run) isAlone(known *admission.Refusals, now time.Time) bool {
	s := &x.setbacks
	passed, refused := known.Passed.Load(), known.Refused.Load()
	switch {
	case s.alone == 0:
		s.alone, s.otherPassed, s.otherRefused = 1, passed, refused
		known.FreshRefused.Store(now.UnixNano())
	case known.LastPassed.Load() > s.refused.UnixNano():
		s.alone++
	}
	s.refused = now
	s.own++
	return policy.Alone(s.alone, int(passed-s.otherPassed), int(refused-s.otherRefused))
}
