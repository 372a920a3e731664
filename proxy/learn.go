package proxy

import (
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/limit"
)

// learn tells breaker, limiter and trips of the attempt. The limiter may turn a
// decision to wait for the rate limit into the answer: when the wait cannot end
// in time.
func (x *Run) learn(a *attempt, d policy.Decision) policy.Decision {
	x.reportBreakers(a)
	x.lease.settle(a.verdict.Breaker, a.accepted())
	now := time.Now()
	x.learnTrip(a, now)
	if a.proves() {
		x.place.line.home.prove(x.place.line, now)
	}
	if !a.unseen() {
		x.place.sent(now, x.lease.turn) // also what was answered before all of it was written
	}
	switch {
	case a.crowded: // what it says is no limit of the rate
		if d.Action == policy.Line {
			d.Delay = a.verdict.Wait
		}
	case a.unseen():
		x.place.leave(now) // nothing was sent: the permit is the next one's
	case a.rejects():
		x.place.rejected(now)
	case a.resp == nil || a.verdict.Limiter == classify.LimiterNone && !isSuccess(a.resp.StatusCode):
		// No answer, or a failure whose headers a gateway may have written.
	case a.verdict.Limiter == classify.LimiterNone:
		x.place.answered(now, toldBy(a.told, a.verdict, limit.ParseHeaders(a.told, now), nil))
	default:
		return x.learnRefusal(a, d, now)
	}
	return d
}

// learnRefusal tells the limiter of a refusal. With a decision to wait, the
// request is in line again afterwards.
func (x *Run) learnRefusal(a *attempt, d policy.Decision, now time.Time) policy.Decision {
	v := a.verdict
	refusal := limit.Refusal{
		Hint: v.Wait, HintFalse: v.HintFalse && d.Reason != policy.ReasonTooLong, HintFull: v.WaitFull, SlowDown: v.Limiter == classify.LimiterSlowDown,
		Dimension: v.Limit.Dimension, Limit: v.Limit.Limit, Used: v.Limit.Used,
		Requested: v.Limit.Requested, Window: v.Limit.Window,
		Headers: limit.ParseHeaders(a.told, now),
	}
	x.place.heard(now, toldBy(a.told, v, refusal.Headers, &refusal))
	if x.concernsItself(refusal, now) {
		return x.backOff(a, d, now)
	}
	got := x.place.line.refused(x.place, now, refusal)
	if d.Action != policy.Line {
		x.place.leave(now)
		return d
	}
	switch got.Reason {
	case limit.Queued:
		if x.setbacks.unproven {
			return x.stepAside(a, d, now)
		}
		return d
	case limit.NeverFits:
		return policy.Decision{Action: policy.Return, Reason: policy.ReasonFinal}
	}
	return policy.Decision{Action: policy.Return, Reason: policy.ReasonDeadline}
}

// maxDoubtPause bounds the wait of a request for a refusal that proves nothing, while others
// pass: to wait for longer would be to believe it.
const maxDoubtPause = 4 * time.Second

// backOff makes a request that met a refusal which proves nothing wait by itself, for at least
// as long as it was told to.
func (x *Run) backOff(a *attempt, d policy.Decision, now time.Time) policy.Decision {
	if d.Action != policy.Line {
		return d
	}
	pause := x.config.Retry.Backoff(x.doubted, x.random())
	switch passes := x.place.line.refusals.lastPassed.Load() > x.setbacks.refused.UnixNano(); {
	case passes && a.verdict.Wait > 0:
		pause = 0
	case passes:
		pause = min(pause, maxDoubtPause)
	}
	x.doubted++
	return x.backOffFor(d, now, max(pause, a.verdict.Wait))
}

// backOffFor makes a request wait by itself for that long.
func (x *Run) backOffFor(d policy.Decision, now time.Time, pause time.Duration) policy.Decision {
	if d.Action != policy.Line {
		return d
	}
	d.Delay = pause
	if !x.deadline.IsZero() && !now.Add(d.Delay).Before(x.deadline) {
		return policy.Decision{Action: policy.Return, Reason: policy.ReasonDeadline}
	}
	return d
}

// learnTrip remembers a dead credential, or settles the probe of one.
func (x *Run) learnTrip(a *attempt, now time.Time) {
	if a.verdict.Trip {
		if x.confirms(a, now) {
			return
		}
		if answer := a.save(); answer != nil {
			key := x.tripKey(a.verdict.Scope)
			x.up.trips.set(now, key, answer.withoutMoment())
			if x.probe && key != x.probeKey {
				x.up.trips.trips.Clear(x.probeKey) // it was asked about a model: the credential lives
			}
			x.probe = false
		}
		return
	}
	if x.probe && a.resp != nil && a.verdict.Breaker != classify.Fault && a.verdict.Limiter == classify.LimiterNone {
		x.up.trips.trips.Clear(x.probeKey)
		x.probe = false
	}
}

// rejects reports whether the answer finds fault with the request itself, or with who sent it,
// so that nothing was computed. What was given up midway, or collided with another, may have been.
func (a *attempt) rejects() bool {
	if a.resp == nil || a.verdict.Limiter != classify.LimiterNone {
		return false
	}
	switch status := a.verdict.Status; status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusFailedDependency, http.StatusTooManyRequests, statusClientClosed:
		return false
	default:
		return status >= http.StatusBadRequest && status < http.StatusInternalServerError
	}
}

// statusClientClosed is what nginx tells of callers that left.
const statusClientClosed = 499

// isSuccess reports whether status is a 2xx.
func isSuccess(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}
