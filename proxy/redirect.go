package proxy

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/carrier"
	"outrigger/proxy/intercept"
)

// Redirects within the upstream's own origin are followed for the caller: a client that
// follows one itself leaves Outrigger, and drops its key on the way to another host, as
// httpx and curl do (letta-ai/letta#3189: a slash redirect). All others are the caller's.

// maxHops is how many redirects one request follows. A slash and a version make two.
const maxHops = 5

// follow makes requests of one attempt until the answer is no redirect to be followed.
func (x *Run) follow(out *http.Request, a *attempt) *attempt {
	for {
		to := x.redirected(a)
		if to == nil {
			return a
		}
		x.hops = append(x.hops, x.outbound.URL.String())
		x.outbound = x.outbound.WithContext(x.outbound.Context())
		x.outbound.URL = to
		a = a.again()
		x.current = a
		x.send(out, a)
	}
}

// redirected returns where a's answer sends the request, if it is to be followed: 307 and
// 308 keep the method and the body (RFC 9110, section 15.4), the others a GET or HEAD.
func (x *Run) redirected(a *attempt) *url.URL {
	if a.resp == nil || a.failure != classify.None || x.upgrade || !x.replayable() || x.ctx.Err() != nil || len(x.hops) == maxHops {
		return nil
	}
	switch a.resp.StatusCode {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if x.method != http.MethodGet && x.method != http.MethodHead {
			return nil
		}
	default:
		return nil
	}
	to := x.ownLocation(a.resp)
	if to == nil || to.String() == x.outbound.URL.String() || slices.Contains(x.hops, to.String()) {
		return nil // a loop: the caller gets the redirect
	}
	return to
}

// ownLocation returns where an answer's Location leads, if that is in the origin that the
// request was sent to; nil if not.
func (x *Run) ownLocation(resp *http.Response) *url.URL {
	values := resp.Header["Location"]
	if len(values) != 1 {
		return nil
	}
	from := x.outbound.URL
	to, err := from.Parse(values[0])
	if err != nil || to.Scheme != from.Scheme || intercept.Authority(to) != intercept.Authority(from) {
		return nil
	}
	to.Host, to.User, to.Fragment, to.RawFragment = from.Host, nil, "", ""
	return to
}

// relocate makes a redirect that the caller is to follow lead through Outrigger, if it stays
// with the upstream's API. A caller that has a tunnel to the upstream's host goes there as it is.
func (x *exchange) relocate(resp *http.Response) {
	x.withoutOwnQuery(resp.Header)
	if resp.StatusCode < 300 || resp.StatusCode > 399 || x.target != "" || x.outbound == nil {
		return
	}
	to := x.ownLocation(resp)
	if to == nil {
		return
	}
	below, ok := x.up.relative(to.EscapedPath())
	if !ok {
		return
	}
	if x.meant {
		below = "/@" + x.up.config.Name + below
	}
	if to.RawQuery != "" {
		below += "?" + to.RawQuery
	}
	resp.Header["Location"] = []string{below}
}

// withoutOwnQuery takes out of a Location what the configuration added to the query that the
// upstream quotes there: it may be a key, and is added again.
func (x *exchange) withoutOwnQuery(h http.Header) {
	values := h["Location"]
	if len(values) != 1 || x.up == nil || len(x.up.secrets.Load().parameters) == 0 {
		return
	}
	to, err := url.Parse(values[0])
	if err != nil || to.RawQuery == "" {
		return
	}
	before := to.RawQuery
	to.RawQuery = carrier.WithoutParameters(before, func(p carrier.Pair) bool {
		return slices.Contains(x.up.secrets.Load().parameters, Pair{p.Name, p.Value})
	})
	if to.RawQuery != before {
		h["Location"] = []string{to.String()}
	}
}

// again returns the attempt's next request, and ends the one before but for what is the
// attempt's as a whole: permits, slots, its share of the budget.
func (a *attempt) again() *attempt {
	next := &attempt{number: a.number, started: time.Now(), call: a.call, lease: a.lease, idle: a.idle, room: a.room, host: a.host, redirected: true}
	a.end.Do(func() {
		a.progress.over.Store(true)
		if a.body != nil {
			timer := time.AfterFunc(endTime, func() { a.cancel(errFollowed) })
			_, _ = io.CopyN(io.Discard, a.body, 4<<10) // so that the connection stays; a redirect says little
			timer.Stop()
			_ = a.body.Close()
		}
		a.cancel(errFollowed)
	})
	return next
}

var errFollowed = errors.New("a redirect was followed")
