package proxy

import (
	"log/slog"
	"net/http"

	"outrigger/policy/classify"
)

// lacksModel reports whether an upstream to which the request went on after another had failed
// does not have its model. That is the operator's concern, and the caller's is why the one
// before it failed (theopenco/llmgateway#2796).
func (x *Run) lacksModel(a *attempt) bool {
	return a.resp != nil && a.verdict.Outcome == classify.OutcomeModel && x.lastUp != nil && x.lastUp != x.up &&
		(x.last != nil || x.lastLoss != nil)
}

// heardBefore ends a request with the failure of the upstream before, whose a lacks the model.
func (x *Run) heardBefore(out *http.Request, a *attempt) (*http.Response, error) {
	x.stopTimer()
	x.recorder.Notice(Notice{slog.LevelWarn, "failover to an upstream that lacks the model", []slog.Attr{
		slog.String("id", x.id), slog.String("upstream", x.up.config.Name), slog.String("model", labelText(x.model)),
		slog.Int("status", a.resp.StatusCode), slog.String("failed_before", x.lastUp.config.Name),
	}})
	a.finish(errAbandoned)
	x.current = nil
	x.settleProbe()
	x.up = x.lastUp
	if x.last != nil {
		return x.kept(out, x.last), nil
	}
	return nil, x.lastLoss
}
