package loop

import (
	"log/slog"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/attempt"
	"outrigger/proxy/observe"
	"outrigger/proxy/upstream"
	"outrigger/proxy/wire"
)

// learn tells breaker, limiter and negative cache of the attempt. The limiter may turn a
// decision to wait for the rate limit into the answer: when the wait cannot end
// in time.
func (x *Run) learn(a *attempt.Attempt, d policy.Decision) policy.Decision {
	x.reportBreakers(a)
	x.lease.settle(a.Verdict.Breaker, a.Accepted())
	now := time.Now()
	x.learnTrip(a, now)
	if a.Proves() {
		x.Ticket.Queue.Home.Prove(x.Ticket.Queue, now)
	}
	if !a.Unseen() {
		x.Ticket.Sent(now, x.lease.turn) // also what was answered before all of it was written
	}
	switch {
	case a.Crowded: // what it says is no limit of the rate
		if d.Action == policy.Line {
			d.Delay = a.Verdict.Wait
		}
	case a.Unseen():
		x.Ticket.Leave(now) // nothing was sent: the permit is the next one's
	case a.Rejects():
		x.Ticket.Rejected(now)
	case a.Resp == nil || a.Verdict.Limiter == classify.LimiterNone && !wire.IsSuccess(a.Resp.StatusCode):
		// No answer, or a failure whose headers a gateway may have written.
	case a.Verdict.Limiter == classify.LimiterNone:
		x.Ticket.Answered(now, admission.ToldBy(a.Told, a.Verdict, limit.ParseHeaders(a.Told, now), nil))
	default:
		return x.learnRefusal(a, d, now)
	}
	return d
}

// learnRefusal tells the limiter of a refusal. With a decision to wait, the
// request is in the queue again afterwards.
func (x *Run) learnRefusal(a *attempt.Attempt, d policy.Decision, now time.Time) policy.Decision {
	v := a.Verdict
	refusal := limit.Refusal{
		Hint: v.Wait, HintFalse: v.HintFalse && d.Reason != policy.ReasonTooLong, HintFull: v.WaitFull, SlowDown: v.Limiter == classify.LimiterSlowDown,
		Dimension: v.Limit.Dimension, Limit: v.Limit.Limit, Used: v.Limit.Used,
		Requested: v.Limit.Requested, Window: v.Limit.Window,
		Headers: limit.ParseHeaders(a.Told, now),
	}
	x.Ticket.Heard(now, admission.ToldBy(a.Told, v, refusal.Headers, &refusal))
	if x.concernsItself(refusal, now) {
		return x.backOff(a, d, now)
	}
	got := x.Ticket.Queue.Refused(x.Ticket, now, refusal)
	if d.Action != policy.Line {
		x.Ticket.Leave(now)
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
func (x *Run) backOff(a *attempt.Attempt, d policy.Decision, now time.Time) policy.Decision {
	if d.Action != policy.Line {
		return d
	}
	pause := x.Config.Retry.Backoff(x.doubted, x.random())
	switch passes := x.Ticket.Queue.Refusals.LastPassed.Load() > x.setbacks.refused.UnixNano(); {
	case passes && a.Verdict.Wait > 0:
		pause = 0
	case passes:
		pause = min(pause, maxDoubtPause)
	}
	x.doubted++
	return x.backOffFor(d, now, max(pause, a.Verdict.Wait))
}

// backOffFor makes a request wait by itself for that long.
func (x *Run) backOffFor(d policy.Decision, now time.Time, pause time.Duration) policy.Decision {
	if d.Action != policy.Line {
		return d
	}
	d.Delay = pause
	if !x.Deadline.IsZero() && !now.Add(d.Delay).Before(x.Deadline) {
		return policy.Decision{Action: policy.Return, Reason: policy.ReasonDeadline}
	}
	return d
}

// learnTrip caches the refusal of a revoked or exhausted credential, or settles the probe of one.
func (x *Run) learnTrip(a *attempt.Attempt, now time.Time) {
	if a.Verdict.Trip {
		if x.confirms(a, now) {
			return
		}
		if answer := a.Save(); answer != nil {
			key := x.tripKey(a.Verdict.Scope)
			x.Up.Trips.Keep(now, key, x.identity(), answer.WithoutMoment())
			if x.probe && key != x.probeKey {
				x.Up.Trips.Clear(x.probeKey, x.identity()) // it was asked about a model: the credential lives
			}
			x.probe = false
		}
		return
	}
	if x.probe && a.Resp != nil && a.Verdict.Breaker != classify.Fault && a.Verdict.Limiter == classify.LimiterNone {
		x.Up.Trips.Clear(x.probeKey, x.identity())
		x.probe = false
	}
}

// learnConnection tells the upstream's connections of attempt a.
func (x *Run) learnConnection(a *attempt.Attempt) {
	now := time.Now()
	doubt := a.HTTP2Failure()
	x.http1 = doubt > 0 && x.Up.HTTP1.Broke(now, doubt)
	x.stray = a.Failure == classify.Malformed
	switch a.Failure {
	case classify.Unreachable:
		if a.HTTP1 {
			x.Up.HTTP1.Unreachable(now)
		}
	case classify.None:
		if x.Up.HTTP1.Answered(now, a.HTTP1) {
			observe.Changed(x.Recorder, observe.ChangeProtocol, x.Up.Config.Name, slog.LevelWarn,
				"an upstream's HTTP/2 fails and its HTTP/1.1 works: that is spoken for a while",
				slog.String("upstream", x.Up.Config.Name), slog.Duration("for", upstream.HTTP1Time))
		}
		x.Up.Fared(now, attempt.IsAway(a))
	case classify.Broke, classify.Timeout, classify.Refused, classify.Malformed:
		x.Up.Fared(now, true)
	}
}
