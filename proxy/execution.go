package proxy

import (
	"context"
	"net/http"

	proxycall "outrigger/proxy/call"
	"outrigger/proxy/idempotency"
)

// Launch implements idempotency.CallerHost: an exchange of its own makes the call.
func (x *exchange) Launch(r *http.Request, f *idempotency.Flight) idempotency.Execution {
	c := x.p.newExchange(context.WithoutCancel(r.Context()), x.gen.pinAgain(), f.Answer, x.Call)
	c.flight, x.launched = f, true // the body is c's to close
	c.Record, c.Candidates, c.Up, c.Affinity, c.Repeat = x.Record, x.Candidates, x.Up, x.Affinity, x.Repeat
	c.Patience, c.Motion = x.Patience, x.Motion
	c.setFlightDeadline(x, r.Header)
	if x.Tracer != nil {
		x.Tracer.Hold(x.ID)
	}
	return execution{c}
}

// execution is an exchange that makes a call apart from its caller.
type execution struct{ x *exchange }

// Life implements Execution.
func (e execution) Life() *proxycall.Life { return &e.x.Life }

// Serve implements Execution.
func (e execution) Serve(r *http.Request) { e.x.p.relay.ServeHTTP(e.x.w, r) }

// Close implements Execution.
func (e execution) Close() {
	e.x.close()
	if e.x.Tracer != nil {
		e.x.Tracer.Release(e.x.ID, &e.x.Record)
	}
}

// Alone implements Execution.
func (e execution) Alone(idempotency string) {
	e.x.Record.Idempotency = idempotency
	event := e.x.event()
	event.Alone = true
	e.x.Recorder.Done(event)
}

// Ended implements Execution.
func (e execution) Ended() idempotency.Ended {
	r := &e.x.Record
	return idempotency.Ended{
		Broken: r.Outcome == proxycall.OutcomeInterrupted || r.Outcome == proxycall.OutcomeCanceled, Failed: r.Outcome == proxycall.OutcomeFailed,
		Upstream: r.Source == proxycall.SourceUpstream, Local: r.Source == proxycall.SourceLocal, MayBeDone: e.x.MayBeDone,
	}
}

// Adopt implements idempotency.CallerHost. The record of the caller that the call was made for is the call's.
func (x *exchange) Adopt(by idempotency.Execution, first bool) {
	c := by.(execution).x
	mine, r := x.Record, &c.Record
	if first {
		x.Record, x.Prepared, x.Hops = *r, c.Prepared, c.Hops
		x.Record.Status, x.Record.First, x.Record.BytesOut = mine.Status, mine.First, mine.BytesOut
	} else {
		x.Record.Verdict, x.Record.Outcome, x.Record.Reason = r.Verdict, r.Outcome, r.Reason
		x.Record.Local, x.Record.Told = r.Local, r.Told
	}
	if mine.Outcome != "" {
		x.Record.Outcome = mine.Outcome
	}
}

// caller is the exchange as one that waits for a call that is made apart from it.
func (x *exchange) caller() *idempotency.Caller {
	return &idempotency.Caller{Call: x.Call, Life: &x.Life, CallerHost: x, Record: &x.Record, Create: x.unrepeatable()}
}
