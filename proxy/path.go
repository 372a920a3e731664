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
		return apierror.New(apierror.MethodNotAllowed, "%s is not passed on: its answer would show the request's credentials.", r.Method)
	}
	if preset.Climbs(r.URL.EscapedPath()) {
		return apierror.New(apierror.BadRequest, "The path has a segment that leads up (..), in some spelling. Send the path that is meant.")
	}
	return nil
}

// repairBase takes one of two versions at the path's start away: an app was told a base URL
// with /v1 and adds its own. It is repaired, not only named, because no API has a path that
// begins so, and the call would end in a 404 whose cause nobody sees. A caller that means an
// upstream's own host says what it means.
func (x *exchange) repairBase(r *http.Request) {
	if x.Target != "" {
		return
	}
	for strings.HasPrefix(r.URL.Path, "/v1/v1/") && (r.URL.RawPath == "" || strings.HasPrefix(r.URL.RawPath, "/v1/v1/")) {
		r.URL.Path = r.URL.Path[len("/v1"):]
		if r.URL.RawPath != "" {
			r.URL.RawPath = r.URL.RawPath[len("/v1"):]
		}
		x.Record.Repaired = true
	}
}

// pathHint names what is wrong with the path of a call that the upstream did not find, for
// the log; "" if nothing is to be seen.
func (x *exchange) pathHint() string {
	switch x.Record.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
	default:
		return ""
	}
	path := strings.TrimSuffix(x.Path, "/")
	switch {
	case x.Up != nil && strings.Contains(x.Up.Config.URL.Path+"/", "/v1/v1/"):
		return "the upstream's URL has /v1 twice: see OUTRIGGER_UPSTREAMS"
	case strings.Contains(path, "//"):
		return "the path has an empty segment (//): is there a slash too many where the client's base URL ends?"
	case doubled(path, "/chat/completions"), doubled(path, "/responses"), doubled(path, "/embeddings"), doubled(path, "/messages"):
		return "the path names the endpoint twice: the client's base URL is to end before it, with /v1"
	}
	return ""
}

func doubled(path, end string) bool { return strings.HasSuffix(path, end+end) }
