package attempt

import (
	"net/http"

	"outrigger/policy/classify"
)

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
