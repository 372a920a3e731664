package proxy

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"sync"
	"time"

	"outrigger/proxy/apierror"
	proxycall "outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/response"
	"outrigger/proxy/shadow"
	proxywire "outrigger/proxy/wire"
)

// maxShadows bounds the shadows that run at once. A request over it is not foreseen.
const maxShadows = 4096

// observing serves requests in observe mode: each is passed on once, at once and unchanged, and
// its shadow tells what enforce mode would have done.
type observing struct {
	p     *Proxy
	bare  *httputil.ReverseProxy
	live  observe.Recorder // of what really happens; the status page hears of a request when all is known
	calls shadow.Calls

	shadows *proxycall.Inflight
	running sync.WaitGroup
	free    chan struct{} // has one for each shadow that runs
}

func newObserving(p *Proxy, live observe.Recorder) *observing {
	o := &observing{p: p, live: live, shadows: proxycall.NewInflight(), free: make(chan struct{}, maxShadows)}
	o.bare = &httputil.ReverseProxy{
		Rewrite: o.rewrite, Transport: o, ModifyResponse: o.modify, ErrorHandler: o.unanswered,
		BufferPool: response.RelayBuffers{}, ErrorLog: slog.NewLogLogger(p.deps.Log.Handler(), slog.LevelDebug),
	}
	return o
}

// ServeHTTP passes one request on.
func (o *observing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := o.p
	x := p.newExchange(r.Context(), p.pin(), w, &proxycall.Call{
		ID: p.newID(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Agent: r.UserAgent(), Start: time.Now(),
	})
	if p.deps.Tracer != nil {
		p.deps.Tracer.Enter(x.Call, r.Header)
	}
	p.inflight.Add(&x.Life)
	defer o.ended(x)
	r = r.WithContext(x.Ctx)
	if err := o.admit(r, x); errors.Is(err, errPreflight) {
		x.allow(w, r)
		return
	} else if err != nil {
		x.turnDown(w, r, err)
		return
	}
	x.seen = o.see(x, r)
	o.bare.ServeHTTP(w, r)
}

// admit decides who may call, and where the call goes.
func (o *observing) admit(r *http.Request, x *exchange) error {
	if err := o.p.admit(r, x); err != nil {
		return err
	}
	_ = x.lookAtCaller(r) // a priority that makes no sense is for enforce mode to refuse
	if err := x.route(r); err != nil {
		return err
	}
	if !proxywire.IsWebSocket(r.Header) {
		proxywire.DropUpgrade(r.Header)
	}
	return checkTarget(r)
}

// rewrite addresses the request to the upstream that would be asked first.
func (o *observing) rewrite(r *httputil.ProxyRequest) {
	x := exchangeOf(r.In.Context())
	putBack(r)
	proxywire.DropOwn(r.Out.Header)
	proxywire.MoveIdempotencyKey(r.Out.Header, "") // so that the transport sends it once
	x.Straight(r.Out)
}

// RoundTrip implements http.RoundTripper, for the relay.
func (o *observing) RoundTrip(out *http.Request) (*http.Response, error) {
	x := exchangeOf(out.Context())
	now := time.Now()
	x.Record.Attempts = 1
	ctx := httptrace.WithClientTrace(out.Context(), x.seen.real.Trace())
	out = out.WithContext(ctx)
	if t := o.p.deps.Tracer; t != nil {
		out.Header = t.Send(x.Call, observe.Sending{
			Number: 1, Start: now, Lane: x.Up.Config.Name, Provider: x.Up.Preset.Name, Scheme: out.URL.Scheme, Host: out.URL.Host,
		}, out.Header)
	}
	resp, err := x.Up.Transport(false, x.Up.HTTP1.Wanted(now), now).RoundTrip(out)
	if err != nil {
		x.seen.real.Last().Failed(err)
	}
	return resp, err
}

// modify looks at an answer that passes.
func (o *observing) modify(resp *http.Response) error {
	x := exchangeOf(resp.Request.Context())
	x.Record.Status, x.Record.First = resp.StatusCode, time.Since(x.Start)
	x.Record.UpstreamID = resp.Header.Get("X-Request-Id")
	x.Share(x.w.Header(), resp.Header)
	x.seen.streams = resp.StatusCode == http.StatusSwitchingProtocols || proxywire.MediaType(resp.Header) == "text/event-stream"
	if x.seen.streams {
		o.p.recorder.Begin(observe.SpanStream, x.Up.Config.Name)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		resp.Body = x.seen.real.Last().Answered(resp)
	}
	return nil
}

// unanswered tells a caller, as ReverseProxy does by itself, that no answer came.
func (o *observing) unanswered(w http.ResponseWriter, out *http.Request, err error) {
	x := exchangeOf(out.Context())
	x.Record.Status, x.Record.ErrorMessage = http.StatusBadGateway, x.Mask(err.Error())
	w.WriteHeader(http.StatusBadGateway)
}

// ended tells what became of a request, and has its shadow tell what would have.
func (o *observing) ended(x *exchange) {
	defer o.p.inflight.Remove(&x.Life)
	if x.seen == nil {
		x.close()
		o.p.recorder.Done(x.event())
		return
	}
	x.seen.conclude(x)
	x.close()
	e := x.event()
	o.live.Done(e)
	x.seen.ended(e)
}

// close ends all shadows. Requests must have ended.
func (o *observing) close() {
	o.shadows.Cancel(apierror.ErrFinished)
	o.running.Wait()
}
