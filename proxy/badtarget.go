package proxy

import (
	"net/http"
	"strings"

	"outrigger/policy/preset"
	"outrigger/proxy/apierror"
)

// checkTarget refuses what no API is asked by: a path that leads out of the upstream's own,
// where a configured key is not meant to go, and the methods whose answer is the request,
// which would tell a caller the configured key (RFC 9110, section 9.3.8; TRACK is IIS' name
// for it).
func checkTarget(r *http.Request) error {
	if strings.EqualFold(r.Method, http.MethodTrace) || strings.EqualFold(r.Method, "TRACK") {
		return apierror.New("method_not_allowed", "%s is not passed on: its answer would show the request's credentials.", r.Method)
	}
	if preset.Climbs(r.URL.EscapedPath()) {
		return apierror.New("bad_request", "The path has a segment that leads up (..), in some spelling. Send the path that is meant.")
	}
	return nil
}
