package proxy

import (
	"errors"
	"net/http"
	"time"

	"outrigger/proxy/apierror"
	proxycall "outrigger/proxy/call"
	"outrigger/proxy/loop"
	"outrigger/proxy/observe"
)

// observe finishes the exchange's record, once, at the true end: the relay has
// returned, or is unwinding because a copy broke (http.ErrAbortHandler). The request
// is in flight until its line is written: a drain waits for that of a WebSocket too,
// whose connection the server does not know any more.
func (p *Proxy) observe(x *exchange) {
	defer p.inflight.Remove(&x.Life)
	x.ExtendWrite()
	x.intake.end()
	x.close()
	p.Recorder.Done(x.event())
}

// event is what observers are told of the request at its end.
func (x *exchange) event() *observe.Event {
	e := &observe.Event{
		Call: x.Call, Result: &x.Record, End: time.Now(), Sent: x.Sent, SentDecoded: x.Spliced != "", Redirects: len(x.Hops),
		Sticky: x.Sticky, Sealed: x.Sealed, Repeat: x.Repeat.Mark, Hint: x.pathHint(),
	}
	if x.Up != nil {
		e.Upstream = x.Up.Config.Name
	}
	return e
}

// fail answers with err, which is an *Error or the cause of the request's end.
func (x *exchange) fail(w http.ResponseWriter, err error) {
	x.StopTimer()
	var e *apierror.Error
	switch {
	case errors.As(err, &e):
		x.writeError(w, e)
		return
	case errors.Is(err, apierror.ErrDraining):
		x.writeError(w, apierror.New("draining", "Outrigger is shutting down and ended this request. Send it again.").After(time.Second))
		return
	case errors.Is(err, apierror.ErrDeadline):
		x.writeError(w, apierror.New("upstream_timeout", "The request's deadline passed after %s and %s. Allow more time (OUTRIGGER_TIMEOUT, "+
			"or the client's own timeout).", x.Tried(), apierror.Round(time.Since(x.Start))))
		return
	case errors.Is(err, loop.ErrBudget) && x.LastLoss != nil:
		x.writeError(w, x.LastLoss)
		return
	case !x.Left():
		x.writeError(w, x.Unusable())
		return
	}
	// The caller is gone. Ending without an answer would be a 200 on the wire.
	x.Record.Outcome = proxycall.OutcomeCanceled
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to end a request without an answer
}
