package classify

import "net/http"

// mayHaveRun reports whether the upstream may have carried out the request although
// the attempt failed. When in doubt it says yes.
func mayHaveRun(r *reply) bool {
	switch r.Failure {
	case None:
		return answerMayHaveRun(r)
	case Unreachable, Refused, Starved:
		return false
	default:
		return r.Progress != NotSent
	}
}

// answerMayHaveRun judges an answer by the status that was really sent. Cloudflare's 521,
// 523, 525 and 526 say that it never reached the origin; its 520, 522 and 524 do
// not (developers.cloudflare.com/support/troubleshooting/http-status-codes).
func answerMayHaveRun(r *reply) bool {
	switch r.Status {
	case http.StatusRequestTimeout:
		// A web server sends a bare 408 when the request did not arrive in time. One in the
		// API's own words comes from behind it (Azure: "The operation was timeout.").
		return r.api
	case http.StatusServiceUnavailable:
		return lostAfterSending(r.all)
	case 521, 523, 525, 526, 529:
		return false
	}
	return r.Status < 300 || r.Status >= 500
}

// lostAfterSending reports a proxy's text that tells of a connection lost under the request.
// Envoy uses one sentence for both cases and tells them apart by the reset reason
// (envoy source/common/http/utility.cc, resetReasonToString); after retries of its own
// it names only the last one, so nothing is proven then.
func lostAfterSending(text string) bool {
	if !saysAny(text, "disconnect/reset", "connection reset", "connection termination",
		"prematurely closed", "broken pipe", "unexpected eof") {
		return false
	}
	if saysAny(text, "retried and the latest") {
		return true
	}
	return !saysAny(text, "reset reason: connection failure", "reset reason: local connection failure",
		"reset reason: remote connection failure", "reset reason: connection timeout",
		"reset reason: overflow", "reset reason: remote refused stream reset")
}
