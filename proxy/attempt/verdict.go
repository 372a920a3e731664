package attempt

import (
	"net/http"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/limit"
	"outrigger/proxy/wire"
)

// Accepted reports whether the upstream carried the attempt's call out.
func (a *Attempt) Accepted() bool {
	return a.Resp != nil && a.Failure == classify.None && a.Verdict.Outcome == classify.OutcomeOK && a.Verdict.Rule != ""
}

// Rejects reports whether the answer finds fault with the request itself, or with who sent it,
// so that nothing was computed. What was given up midway, or collided with another, may have been.
func (a *Attempt) Rejects() bool {
	if a.Resp == nil || a.Verdict.Limiter != classify.LimiterNone {
		return false
	}
	switch status := a.Verdict.Status; status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusFailedDependency, http.StatusTooManyRequests, statusClientClosed:
		return false
	default:
		return status >= http.StatusBadRequest && status < http.StatusInternalServerError
	}
}

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
