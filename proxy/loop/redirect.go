package loop

import (
	"net/http"
	"net/url"
	"slices"

	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
	"outrigger/proxy/intercept"
)

// Redirects within the upstream's own origin are followed for the caller: a client that
// follows one itself leaves Outrigger, and drops its key on the way to another host, as
// httpx and curl do (letta-ai/letta#3189: a slash redirect). All others are the caller's.

// maxHops is how many redirects one request follows. A slash and a version make two.
const maxHops = 5

// follow makes requests of one attempt until the answer is no redirect to be followed.
func (x *Run) follow(out *http.Request, a *attempt.Attempt) *attempt.Attempt {
	for {
		to := x.redirected(a)
		if to == nil {
			return a
		}
		x.Hops = append(x.Hops, x.Outbound.URL.String())
		x.Outbound = x.Outbound.WithContext(x.Outbound.Context())
		x.Outbound.URL = to
		a = a.Again()
		x.Current = a
		x.send(out, a)
	}
}

// redirected returns where a's answer sends the request, if it is to be followed: 307 and
// 308 keep the method and the body (RFC 9110, section 15.4), the others a GET or HEAD.
func (x *Run) redirected(a *attempt.Attempt) *url.URL {
	if a.Resp == nil || a.Failure != classify.None || x.Upgrade || !x.Replayable() || x.Ctx.Err() != nil || len(x.Hops) == maxHops {
		return nil
	}
	switch a.Resp.StatusCode {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if x.Method != http.MethodGet && x.Method != http.MethodHead {
			return nil
		}
	default:
		return nil
	}
	to := x.OwnLocation(a.Resp)
	if to == nil || to.String() == x.Outbound.URL.String() || slices.Contains(x.Hops, to.String()) {
		return nil // a loop: the caller gets the redirect
	}
	return to
}

// OwnLocation returns where an answer's Location leads, if that is in the origin that the
// request was sent to; nil if not.
func (x *Run) OwnLocation(resp *http.Response) *url.URL {
	values := resp.Header["Location"]
	if len(values) != 1 {
		return nil
	}
	from := x.Outbound.URL
	to, err := from.Parse(values[0])
	if err != nil || to.Scheme != from.Scheme || intercept.Authority(to) != intercept.Authority(from) {
		return nil
	}
	to.Host, to.User, to.Fragment, to.RawFragment = from.Host, nil, "", ""
	return to
}
