package attempt

import (
	"net/http"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/limit"
	"outrigger/proxy/wire"
)

// Proves reports whether an answer shows that its model exists: a success, or a refusal that
// names a limit.
func (a *Attempt) Proves() bool {
	switch {
	case a.Resp == nil:
		return false
	case a.Resp.StatusCode == http.StatusSwitchingProtocols:
		return true
	case a.Verdict.Limiter != classify.LimiterNone:
		return a.Verdict.Limit.Limit > 0 || len(limit.ParseHeaders(a.Resp.Header, time.Now()).Readings) > 0
	}
	return wire.IsSuccess(a.Resp.StatusCode) && a.Verdict.Outcome == classify.OutcomeOK
}
