package proxy

import (
	"errors"
	"net/http"
	"time"
)

// observe finishes the exchange's record, once, at the true end: the relay has
// returned, or is unwinding because a copy broke (http.ErrAbortHandler). The request
// is in flight until its line is written: a drain waits for that of a WebSocket too,
// whose connection the server does not know any more.
func (p *Proxy) observe(x *exchange) {
	defer p.inflight.remove(&x.Life)
	x.extendWrite()
	x.intake.end()
	x.close()
	p.recorder.Done(x.event())
}

// event is what observers are told of the request at its end.
func (x *exchange) event() *Event {
	e := &Event{
		Call: x.Call, Result: &x.record, End: time.Now(), Sent: x.sent, SentDecoded: x.spliced != "", Redirects: len(x.hops),
		Sticky: x.sticky, Sealed: x.sealed, Repeat: x.repeat.mark, Hint: x.pathHint(),
	}
	if x.up != nil {
		e.Upstream = x.up.config.Name
	}
	return e
}

// fail answers with err, which is an *Error or the cause of the request's end.
func (x *exchange) fail(w http.ResponseWriter, err error) {
	x.stopTimer()
	var e *Error
	switch {
	case errors.As(err, &e):
		x.writeError(w, e)
		return
	case errors.Is(err, errDraining):
		x.writeError(w, fail("draining", "Outrigger is shutting down and ended this request. Send it again.").after(time.Second))
		return
	case errors.Is(err, errDeadline):
		x.writeError(w, fail("upstream_timeout", "The request's deadline passed after %s and %s. Allow more time (OUTRIGGER_TIMEOUT, "+
			"or the client's own timeout).", x.tried(), round(time.Since(x.start))))
		return
	case errors.Is(err, errBudget) && x.lastLoss != nil:
		x.writeError(w, x.lastLoss)
		return
	case !x.left():
		x.writeError(w, x.unusable())
		return
	}
	// The caller is gone. Ending without an answer would be a 200 on the wire.
	x.record.outcome = outcomeCanceled
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to end a request without an answer
}
