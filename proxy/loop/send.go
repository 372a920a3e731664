package loop

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/body"
	"outrigger/proxy/lane"
	"outrigger/proxy/observe"
	"outrigger/proxy/response"
	"outrigger/proxy/stream"
	"outrigger/proxy/wire"
)

// send makes one attempt: a fresh request with its body from the start, under
// its own context. On return a.resp or a.failure is set.
func (x *Run) send(out *http.Request, a *attempt.Attempt) {
	ctx, cancel := context.WithCancelCause(x.Ctx)
	a.Cancel, a.Progress.Began = cancel, a.Started
	outer := httptrace.ContextClientTrace(out.Context())
	ctx = httptrace.WithClientTrace(ctx, a.Progress.Trace(outer, x.Ticket, x.Ticket.Turn, cancel))
	// A shallow copy: a transport does not change a request's headers
	// (http.RoundTripper), so all attempts share them.
	a.Ctx, x.lease.turn = ctx, x.Ticket.Turn
	x.trace(a)
	req := x.Outbound.WithContext(ctx)
	req.GetBody = nil
	x.sendKey(req)
	req.Body, req.ContentLength = x.sends(a)
	x.bounded(a)
	defer a.Alarm.Stop()
	if !a.Redirected { // its slots know that it is on its way
		for i := range x.slots {
			x.slots[i].Sent(time.Now())
		}
	}
	create := x.Endpoint.Effect == endpoint.Create
	a.HTTP1 = x.http1 || x.Up.HTTP1.Wanted(a.Started)
	resp, err := x.transport(create, a).RoundTrip(req)
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

// transport is what an attempt is sent with: the upstream's connections, unless somebody stands
// in for the upstream.
func (x *Run) transport(create bool, a *attempt.Attempt) http.RoundTripper {
	if x.StandIn != nil {
		return x.StandIn
	}
	return x.Up.Transport(create || x.stray, a.HTTP1, a.Started)
}

// trace gives the upstream the attempt's place in a distributed trace. When requests are not
// traced the caller's headers pass as they are.
func (x *Run) trace(a *attempt.Attempt) {
	if x.Tracer == nil {
		return
	}
	u := x.Outbound.URL
	x.Outbound = x.Outbound.WithContext(x.Outbound.Context()) // the request that it was made of stays
	x.Outbound.Header = x.Tracer.Send(x.Call, observe.Sending{
		Number: a.Number, Start: a.Started, Lane: x.Up.Config.Name, Provider: x.Up.Preset.Name, Scheme: u.Scheme, Host: u.Host,
		Model: cmp.Or(x.Sent, x.Facts.Model),
	}, x.Outbound.Header)
}

// sends gives the attempt the request's body. Small ones are not watched: the system takes
// them at once, and net/http sends them best as they are.
func (x *Run) sends(a *attempt.Attempt) (io.ReadCloser, int64) {
	b, size := x.Outgoing(x.Spliced)
	if b == nil || x.Once == nil && 0 <= x.Size && x.Size <= body.OneWrite && x.Kept.InMemory() {
		return b, size
	}
	a.Progress.Sending = &body.Sending{ReadCloser: b, Left: size, Began: a.Started, Motion: x.Motion, Awake: x.Awake, Over: &a.Progress.Over}
	if x.Once != nil {
		a.Progress.Sending.Motion = nil
	}
	return a.Progress.Sending, size
}

// bounded sets the attempt's own timeout, if it has one: so long after the last byte of
// its body moved, or after its start.
func (x *Run) bounded(a *attempt.Attempt) {
	timeout := x.Up.Attempt
	if timeout <= 0 {
		return
	}
	ahead := policy.Ahead{
		Retries: x.retries, Replayable: x.Replayable(), Create: x.IsCreate(),
		Elsewhere: x.mayGoOn(policy.FailoverOverloaded) && x.elsewhere(),
	}
	if !x.Deadline.IsZero() {
		ahead.Left = time.Until(x.Deadline)
	}
	if a.Within = x.Config.Retry.AttemptTimeout(timeout, ahead); a.Within > 0 {
		a.Alarm.Set(a)
	}
}

// elsewhere reports whether there is another upstream that the request was not given up
// at, whose breaker is closed, and that has not refused its credential.
func (x *Run) elsewhere() bool {
	return slices.ContainsFunc(x.Candidates, func(up *lane.Lane) bool {
		if up == x.Up || slices.Contains(x.spent, up) || up.Gate.Breaker.State() != policy.Closed {
			return false
		}
		f := x.prepare(up)
		return !x.tripped(&f, time.Now())
	})
}

// took is how long a took of the time that the deadline leaves, which a body on its way
// puts off, unless the caller bounds the whole.
func (x *Run) took(a *attempt.Attempt) time.Duration {
	took := time.Since(a.Started)
	if s := a.Progress.Sending; s != nil && s.Motion != nil && x.Patience.Total == 0 {
		took -= time.Duration(s.Moved.Load() - s.First.Load())
	}
	return took
}

// keepsAwake makes the caller be told, if it is such a one. Out is what ReverseProxy made of its request.
func (x *Run) keepsAwake(out *http.Request) {
	if !x.Hears1xx || x.Size <= body.OneWrite || x.Once != nil {
		return
	}
	trace := httptrace.ContextClientTrace(out.Context())
	if trace == nil || trace.Got1xxResponse == nil {
		return
	}
	bears := body.HttpxTimeout
	if x.Patience.Idle > 0 { // it says so
		bears = x.Patience.Silence
	}
	x.Awake = &body.Awake{Every: bears / body.AwakeShare, Start: x.Start, Hint: trace.Got1xxResponse}
	x.Awake.Told.Store(x.Motion.Last.Load())
}

// mayTunnel reports whether a 101 answer is the one that was asked for.
func (x *Run) mayTunnel(resp *http.Response) bool {
	_, ok := resp.Body.(io.ReadWriteCloser) // not without "Connection: Upgrade"
	return ok && x.Upgrade && wire.IsWebSocket(resp.Header)
}

// SawPanic is survived for what holds an answer's beginning.
func (p *Loop) SawPanic(panicked any) { observe.Survived(p.Recorder, "answer", panicked) }

// StreamIdle is how long the answer to the caller may be silent; 0 is no bound.
func (x *Run) StreamIdle() time.Duration { return x.Patience.StreamIdle(x.Silent) }

// upstreamKey is what a run knows of the Idempotency-Key that the upstream gets. Where
// the caller sent none, Outrigger makes one, so that an upstream that honours keys does
// not make the same call twice when an answer is lost.
type upstreamKey struct {
	MadeKey bool // it is Outrigger's
	keys    int  // how many were made after the first
	openKey bool // an attempt with the present one may still be under way
	rejoins int  // how often the upstream said so
}

// isKeyed reports whether a call with the same key may be under way at the upstream.
func (x *Run) isKeyed() bool {
	if x.request == nil || len(wire.SentKey(x.request.Header)) == 0 {
		return false
	}
	return !x.MadeKey || x.openKey
}

// renewKey takes in how attempt a ended, which is given up. An upstream that honours keys
// would replay a recorded failure for ever, so a key that Outrigger made is made anew after
// a whole answer. After an end that leaves open what became of the call, it protects. The
// answer to a create that may have been carried out is such an end too.
func (x *Run) renewKey(a *attempt.Attempt) {
	switch {
	case a.Verdict.Repeat == classify.Rejoin:
		x.openKey = true
		x.rejoins++
	case a.Verdict.Ambiguous, a.Save() == nil && a.Reached() != classify.NotSent:
		x.openKey = true
	case a.Resp != nil:
		x.openKey, x.rejoins = false, 0
		x.keys++
	}
}

// sendKey puts the present key into an attempt's request, whose headers others share.
func (x *Run) sendKey(req *http.Request) {
	if x.keys == 0 || !x.MadeKey {
		return
	}
	req.Header = req.Header.Clone()
	req.Header[wire.KeyIdempotency] = []string{x.ID + "-" + strconv.Itoa(x.keys+1)}
}
