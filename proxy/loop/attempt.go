package loop

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"time"

	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/response"
	"outrigger/proxy/stream"
)

// send makes one attempt: a fresh request with its body from the start, under
// its own context. On return a.resp or a.failure is set.
func (x *Run) send(out *http.Request, a *attempt.Attempt) {
	ctx, cancel := context.WithCancelCause(x.Ctx)
	a.Cancel, a.Progress.Began = cancel, a.Started
	outer := httptrace.ContextClientTrace(out.Context())
	ctx = httptrace.WithClientTrace(ctx, a.Progress.Trace(outer, x.Place, x.Place.Turn, cancel))
	// A shallow copy: a transport does not change a request's headers
	// (http.RoundTripper), so all attempts share them.
	a.Ctx, x.lease.turn = ctx, x.Place.Turn
	req := x.Outbound.WithContext(ctx)
	req.GetBody = nil
	x.sendKey(req)
	req.Body, req.ContentLength = x.sends(a)
	x.bounded(a, cancel)
	defer a.Alarm.Stop()
	if !a.Redirected { // its slots know that it is on its way
		for i := range x.slots {
			x.slots[i].Sent(time.Now())
		}
	}
	create := x.Endpoint.Effect == endpoint.Create
	a.HTTP1 = x.http1 || x.Up.HTTP1.Wanted(a.Started)
	resp, err := x.Up.Transport(create || x.stray, a.HTTP1, a.Started).RoundTrip(req)
	x.RefreshDeadline()
	if err != nil {
		a.Fail(ctx, err)
		return
	}
	if err := response.Check(resp); err != nil {
		_ = resp.Body.Close()
		a.Fail(ctx, err)
		return
	}
	if resp.ProtoMajor == 2 && !a.HTTP1 {
		x.Up.HTTP2.Store(true)
	}
	a.Resp, a.Body = resp, resp.Body
	if resp.StatusCode == http.StatusSwitchingProtocols && !x.mayTunnel(resp) {
		a.Fail(ctx, apierror.ErrSwitched)
		return
	}
	if x.MayResume() {
		stream.Resumable(x.serves(), a, x.Outbound, x.credential, x.Bodies)
	}
	a.Peek(ctx)
}
