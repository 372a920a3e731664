package proxy

import (
	"net/http"
	"net/url"
	"slices"

	"outrigger/proxy/carrier"
	"outrigger/proxy/settings"
)

// relocate makes a redirect that the caller is to follow lead through Outrigger, if it stays
// with the upstream's API. A caller that has a tunnel to the upstream's host goes there as it is.
func (x *exchange) relocate(resp *http.Response) {
	x.withoutOwnQuery(resp.Header)
	if resp.StatusCode < 300 || resp.StatusCode > 399 || x.Target != "" || x.Outbound == nil {
		return
	}
	to := x.OwnLocation(resp)
	if to == nil {
		return
	}
	below, ok := x.Up.Relative(to.EscapedPath())
	if !ok {
		return
	}
	if x.Meant {
		below = "/@" + x.Up.Config.Name + below
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
	if len(values) != 1 || x.Up == nil || len(x.Up.Secrets.Load().Parameters) == 0 {
		return
	}
	to, err := url.Parse(values[0])
	if err != nil || to.RawQuery == "" {
		return
	}
	before := to.RawQuery
	to.RawQuery = carrier.WithoutParameters(before, func(p carrier.Pair) bool {
		return slices.Contains(x.Up.Secrets.Load().Parameters, settings.Pair{Name: p.Name, Value: p.Value})
	})
	if to.RawQuery != before {
		h["Location"] = []string{to.String()}
	}
}
