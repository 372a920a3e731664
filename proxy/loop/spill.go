package loop

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/observe"
	"outrigger/proxy/wire"
)

// spillAfter is the wait in an upstream's queue above which the others' queues are
// looked at: a limiter that paces by the second is no reason to go elsewhere.
const spillAfter = 2 * time.Second

// spill joins the present upstream's queue, or that of the first other one where the
// wait is shorter, if failover goes by rate limits. What is in the queue stays.
func (x *Run) spill() error {
	if !x.mayGoOn(policy.FailoverRateLimited) || x.Ticket.Queued || x.Ticket.Admitted() {
		return nil
	}
	now := time.Now()
	if err := x.enter(now); err != nil {
		return err
	}
	if !x.Ticket.Queued || x.predicted <= spillAfter {
		return nil
	}
	for _, up := range x.Candidates {
		if up == x.Up || slices.Contains(x.spent, up) || up.Gate.Shut() {
			continue
		}
		next, there := x.prepare(up), &admission.Ticket{}
		if x.tripped(&next, now) {
			continue
		}
		x.takeTicket(&next, there, now)
		d := there.Queue.Enter(there, now)
		if d.Reason == limit.Admitted || d.Reason == limit.Queued && d.Wait < x.predicted {
			x.move(next, policy.FailoverRateLimited)
			x.Ticket = there
			return nil
		}
		there.Leave(now)
		there.Free(now)
	}
	return nil
}

// lacksModel reports whether an upstream to which the request went on after another had failed
// does not have its model. That is the operator's concern, and the caller's is why the one
// before it failed (theopenco/llmgateway#2796).
func (x *Run) lacksModel(a *attempt.Attempt) bool {
	return a.Resp != nil && a.Verdict.Outcome == classify.OutcomeModel && x.lastUp != nil && x.lastUp != x.Up &&
		(x.last != nil || x.LastLoss != nil)
}

// heardBefore ends a request with the failure of the upstream before, whose a lacks the model.
func (x *Run) heardBefore(out *http.Request, a *attempt.Attempt) (*http.Response, error) {
	x.StopTimer()
	x.Recorder.Notice(observe.Notice{Level: slog.LevelWarn, Message: "failover to an upstream that lacks the model", Fields: []slog.Attr{
		slog.String("id", x.ID), slog.String("upstream", x.Up.Config.Name), slog.String("model", wire.LabelText(x.model)),
		slog.Int("status", a.Resp.StatusCode), slog.String("failed_before", x.lastUp.Config.Name),
	}})
	a.Finish(apierror.ErrAbandoned)
	x.Current = nil
	x.settleProbe()
	x.Up = x.lastUp
	if x.last != nil {
		return x.kept(out, x.last), nil
	}
	return nil, x.LastLoss
}
