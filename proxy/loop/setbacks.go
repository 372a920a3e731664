package loop

import (
	"net/http"
	"strings"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/attempt"
	"outrigger/proxy/observe"
	"outrigger/proxy/response"
	"outrigger/proxy/wire"
)

// begins notes that an attempt is about to be sent.
func (x *Run) begins(a *attempt.Attempt) {
	known := &x.lease.line.Refusals
	known.Running.Add(1)
	if x.setbacks.own == 0 {
		known.LastFresh.Store(a.Started.UnixNano())
	}
}

// setbacks is what a run remembers of its refusals at one upstream.
type setbacks struct {
	confirming bool      // the next attempt is to confirm a refused credential
	confirms   int       // how many were
	accused    time.Time // when its credential was refused last
	loading    time.Time // when it may ask again whether its model is ready

	unproven     bool      // the last one proves nothing of the rate
	refused      time.Time // the last one that does not
	alone        int       // how many of those had others pass in between, and the first
	own          int64     // how many there were
	otherPassed  int64     // the queue's counts at the first one
	otherRefused int64
}

// weigh looks at an attempt together with those before it and of others, and may turn the
// decision on it alone into another one.
func (x *Run) weigh(a *attempt.Attempt, d policy.Decision) policy.Decision {
	now := time.Now()
	x.learnLoading(a, now)
	switch {
	case x.setbacks.confirming:
		x.setbacks.confirming = false
		return policy.Decision{Action: policy.Wait, Delay: x.confirmPause(), Reason: policy.ReasonConfirm}
	case a.Resp == nil, a.Crowded:
	case a.Verdict.Outcome == classify.OutcomeOK:
		x.passed(a, now)
	case a.Verdict.Outcome == classify.OutcomeRateLimited:
		return x.refused(a, d, now)
	}
	return d
}

// remember returns a's answer for others than its caller, or nil when it did not arrive whole.
// Its headers are a copy: the relay changes those that its caller gets.
func (x *Run) remember(a *attempt.Attempt) *response.Buffered {
	s := a.Save()
	if s == nil {
		return nil
	}
	kept := *s
	kept.Header = s.Header.Clone()
	kept.Caller = x.callerOf(&x.Prepared)
	return &kept
}

// passed takes in a success.
func (x *Run) passed(a *attempt.Attempt, now time.Time) {
	x.Up.Worked.Succeeded(now, x.payerKey(classify.Credential))
	x.Up.Worked.Succeeded(now, x.payerKey(classify.Model))
	x.Ticket.Queue.Refusals.Pass(a.Started, x.setbacks.own == 0)
}

// A refusal that proves nothing of the rate is taken for its own request's trouble: that waits
// beside the queue, and those who were not refused yet show whether others pass.

// outrunShare is how many others must have passed for each that was refused.
const outrunShare = 4

// isOutrun reports whether others passed since the request was last refused, and few of
// them were refused: what refuses it is no limit of theirs. Only their first attempts are
// counted, since others may be refused for themselves, too, again and again.
func (x *Run) isOutrun() bool {
	s, known := &x.setbacks, &x.Ticket.Queue.Refusals
	refused, passed := known.Refused.Load()-s.otherRefused, known.Passed.Load()-s.otherPassed
	return s.alone > 0 && known.LastPassed.Load() > s.refused.UnixNano() && refused*outrunShare <= passed
}

// concernsItself takes in a refusal, and reports whether it is to be taken for its own request's
// trouble. One that proves nothing counts once for each request, until others meet the same:
// a limit refuses whoever comes.
func (x *Run) concernsItself(r limit.Refusal, now time.Time) bool {
	s, line := &x.setbacks, x.Ticket.Queue
	s.unproven = r.Unproven()
	switch {
	case s.unproven && s.own > 0 && (x.isOutrun() || line.Refusals.FreshRefused.Load() <= s.refused.UnixNano()):
		x.Ticket.Repeated(now)
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
// it would hold up all others if it is refused for itself. It keeps its ticket;
// see letOthersFirst.
func (x *Run) stepAside(a *attempt.Attempt, d policy.Decision, now time.Time) policy.Decision {
	if d.Action == policy.Line {
		x.Ticket.Leave(now)
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
	known, start, looked := &x.Ticket.Queue.Refusals, time.Now(), false
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
		looked = true
		if err := x.Sleep(stepPause); err != nil {
			return err
		}
	}
	if looked {
		x.Record.Queue += x.waited(observe.SpanQueue, observe.QueueOthers, start)
	}
	if !x.probe && x.tripped(&x.Prepared, time.Now()) {
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

// confirmsMost is how often one request is refused for its credential while others of it pass:
// a gateway that refuses one in a hundred at random hardly refuses the same one three times.
const confirmsMost = 2

// confirms reports whether a refusal of the credential, or of its model, is not to be
// remembered yet: it worked a moment ago, so the refused request is tried once more, which is
// no retry. Where that must not be, the next refusal without a success in between counts.
// While others go on to pass, the request is tried again, or is told and nobody else is.
func (x *Run) confirms(a *attempt.Attempt, now time.Time) bool {
	key, s := x.payerKey(a.Verdict.Scope), &x.setbacks
	lately, before := x.Up.Worked.Doubt(now, key)
	passes := s.confirms > 0 && x.Up.Worked.Since(s.accused, key)
	switch {
	case !lately:
		return false
	case s.confirms > 0 && !passes, before && !x.mayConfirm(a, now):
		x.Up.Worked.Forget(key)
		return false
	}
	s.accused = now
	if s.confirms < confirmsMost && x.mayConfirm(a, now) {
		s.confirming = true
		s.confirms++
	}
	return true
}

// confirmPause is the wait before a credential is confirmed: long enough for others to show
// that it lives.
func (x *Run) confirmPause() time.Duration {
	base := x.Config.Retry.Base
	return base/2 + time.Duration(x.random()*float64(base/2))
}

// mayConfirm reports whether the refused request may be sent again. A create only if a 401
// proves that it was not carried out.
func (x *Run) mayConfirm(a *attempt.Attempt, now time.Time) bool {
	if !x.Replayable() || x.IsCreate() && a.Resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	if strings.EqualFold(strings.TrimSpace(a.Resp.Header.Get(wire.HeaderShouldRetry)), "false") {
		return false
	}
	return x.Deadline.IsZero() || now.Add(now.Sub(a.Started)+x.Config.Retry.Base).Before(x.Deadline)
}
