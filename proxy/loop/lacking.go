package loop

import (
	"log/slog"
	"net/http"

	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/observe"
	"outrigger/proxy/wire"
)

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
