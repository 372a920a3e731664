package proxy

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/batches"
	proxycall "outrigger/proxy/call"
	"outrigger/proxy/carrier"
	"outrigger/proxy/decode"
	"outrigger/proxy/response"
	"outrigger/proxy/settings"
	"outrigger/proxy/tunnel"
	proxywire "outrigger/proxy/wire"
)

// newRelay returns the one ReverseProxy. It copies; all judgement is in its
// transport, the attempt loop.
func (p *Proxy) newRelay(log *slog.Logger) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		Transport:      p,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BufferPool:     response.RelayBuffers{},
		ModifyResponse: p.modify,
		ErrorHandler:   p.answerError,
	}
}

// putBack restores what ReverseProxy took out against its callers' wishes: X-Forwarded-*, and a
// query that has a semicolon or a bad escape.
func putBack(r *httputil.ProxyRequest) {
	out := r.Out
	out.URL.RawQuery, out.URL.ForceQuery = r.In.URL.RawQuery, r.In.URL.ForceQuery
	for _, name := range [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := r.In.Header[name]; ok {
			out.Header[name] = values
		}
	}
}

// rewrite makes the request ready to be addressed to any upstream.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	x := exchangeOf(r.In.Context())
	out := r.Out
	putBack(r)
	out.Trailer, out.TransferEncoding = nil, nil // the body's length is known by now
	proxywire.DropOwn(out.Header)
	delete(out.Header, "Expect") // the body is read: nothing is left to ask for
	x.Upgrade = proxywire.IsWebSocket(out.Header)
	if codings := out.Header["Accept-Encoding"]; len(codings) > 0 {
		accepted := "identity" // events that cannot be read cannot be watched, nor ids and states learned
		if !x.Facts.Stream && !x.Homes.Tells(x.Call) && !batches.Tells(x.Endpoint.Name) {
			accepted = decode.Accepts(strings.Join(codings, ", "))
		}
		out.Header["Accept-Encoding"] = []string{accepted}
	}
	made := ""
	if out.Method == http.MethodPost {
		made = x.ID
	}
	proxywire.MoveIdempotencyKey(out.Header, made)
	x.MadeKey = made != "" && proxywire.SentKey(out.Header)[0] == made
	out.Close = false
}

// modify gives a committed answer Outrigger's headers and takes away what
// net/http would invent.
func (p *Proxy) modify(resp *http.Response) error {
	x := exchangeOf(resp.Request.Context())
	x.Record.Status = resp.StatusCode
	response.CleanTrailer(resp) // those of an answer that was held whole are here already
	if resp.StatusCode == http.StatusSwitchingProtocols {
		x.Stamp(resp.Header)
	} else {
		x.Stamp(x.w.Header()) // the upstream's would have to grow for them, and then be copied
		x.Share(x.w.Header(), resp.Header)
	}
	x.relocate(resp)
	if resp.StatusCode < http.StatusBadRequest {
		delete(resp.Header, proxywire.HeaderShouldRetry)
	} else if x.suppressesUpstreamRetry() {
		resp.Header.Set(proxywire.HeaderShouldRetry, "false")
	}
	// nil, not absent: the server would sniff a type, and add the present date.
	for _, name := range [...]string{"Content-Type", "Date"} {
		if _, ok := resp.Header[name]; !ok {
			x.w.Header()[name] = nil
		}
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return tunnel.Carry(x.w, resp, tunnel.Ends{
			ID: x.ID, Lane: x.Up.Config.Name, Ctx: x.Ctx, Record: &x.Record, Recorder: x.Recorder, Idle: x.Config.Timeouts.StreamIdle, Host: &x.Run,
		})
	}
	return nil
}

// Stamp sets the headers that tell how the answer came about.
func (x *exchange) Stamp(h http.Header) {
	v := &x.stamps // one array for all: each would be an allocation of its own
	*v = [...]string{
		strconv.Itoa(x.Record.Attempts), string(x.Record.Source),
		strconv.FormatInt(x.Record.Queue.Milliseconds(), 10), x.ID, "",
	}
	h[proxywire.HeaderAttempts], h[proxywire.HeaderSource], h[proxywire.HeaderQueue], h[proxywire.HeaderID] = v[0:1:1], v[1:2:2], v[2:3:3], v[3:4:4]
	if x.Up != nil && (x.Record.Attempts > 0 || x.Record.Source == proxycall.SourceTripped) {
		v[4] = x.Up.Config.Name
		h[proxywire.HeaderUpstream] = v[4:5:5]
	}
	if x.Record.Failover != "" {
		h[proxywire.HeaderFailover] = []string{x.Record.Failover}
	}
	if x.Repeat.Mark != "" {
		h[proxywire.HeaderRepeat] = []string{x.Repeat.Mark}
	}
	if x.closes {
		// With full duplex net/http closes it without saying so when a part of the
		// body is left, and a client that has sent all would use it again.
		h.Set("Connection", "close")
	}
}

// suppressesUpstreamRetry reports whether a failure that the upstream answered
// carries x-should-retry: false, so that an SDK does not multiply the attempts.
func (x *exchange) suppressesUpstreamRetry() bool {
	if x.IsCreate() && x.Record.Uncertain(x.Record.Status) {
		return true
	}
	if x.Record.Verdict.Repeat == classify.Rejoin && !x.MadeKey {
		return false // the same key leads to the one answer, however often it is sent
	}
	return x.Config.Retry.ClientRetries != policy.ClientRetriesAllow && !x.OutOfTime()
}

// answerError writes the answer to a request that got none from the upstream.
func (p *Proxy) answerError(w http.ResponseWriter, out *http.Request, err error) {
	if errors.Is(err, tunnel.ErrTunnelled) {
		return
	}
	exchangeOf(out.Context()).fail(w, err)
}

// RoundTrip implements http.RoundTripper, for the relay: it is the attempt loop of the
// exchange that out belongs to.
func (p *Proxy) RoundTrip(out *http.Request) (*http.Response, error) {
	return exchangeOf(out.Context()).RoundTrip(out)
}

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
