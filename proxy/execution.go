package proxy

import (
	"context"
	"net/http"
)

// launch implements callerHost: an exchange of its own makes the call.
func (x *exchange) launch(r *http.Request, f *flight) Execution {
	c := x.p.newExchange(context.WithoutCancel(r.Context()), f.answer, x.Call)
	c.flight, x.launched = f, true // the body is c's to close
	c.record, c.candidates, c.up, c.affinity, c.repeat = x.record, x.candidates, x.up, x.affinity, x.repeat
	c.patience, c.motion = x.patience, x.motion
	c.setFlightDeadline(x, r.Header)
	return execution{c}
}

// execution is an exchange that makes a call apart from its caller.
type execution struct{ x *exchange }

// Life implements Execution.
func (e execution) Life() *Life { return &e.x.Life }

// Serve implements Execution.
func (e execution) Serve(r *http.Request) { e.x.p.relay.ServeHTTP(e.x.w, r) }

// Close implements Execution.
func (e execution) Close() { e.x.close() }

// Alone implements Execution.
func (e execution) Alone(idempotency string) {
	e.x.record.idempotency = idempotency
	event := e.x.event()
	event.Alone = true
	e.x.recorder.Done(event)
}

// Ended implements Execution.
func (e execution) Ended() Ended {
	r := &e.x.record
	return Ended{
		Broken: r.outcome == outcomeInterrupted || r.outcome == outcomeCanceled, Failed: r.outcome == outcomeFailed,
		Upstream: r.source == sourceUpstream, Local: r.source == sourceLocal, MayBeDone: e.x.mayBeDone,
	}
}

// mayBeDone reports whether a create that has ended without a whole answer may have
// been carried out all the same.
func (c *Run) mayBeDone(status int) bool {
	r := &c.record
	switch {
	case r.attempts == 0:
		return false
	case status == 0 && c.current == nil && !c.doubtful:
		return false // it ended between attempts, each of which had its answer
	case c.doubtful: // an earlier attempt may have, whatever the last one was told
		return true
	case r.source == sourceLocal:
		return r.errorCode == "upstream_ambiguous" || r.errorCode == "upstream_broke"
	}
	return status == 0 || isSuccess(status) || r.uncertain(status)
}

// adopt implements callerHost. The record of the caller that the call was made for is the call's.
func (x *exchange) adopt(by Execution, first bool) {
	c := by.(execution).x
	mine, r := x.record, &c.record
	if first {
		x.record, x.facing, x.hops = *r, c.facing, c.hops
		x.record.status, x.record.first, x.record.bytesOut = mine.status, mine.first, mine.bytesOut
	} else {
		x.record.verdict, x.record.outcome, x.record.reason = r.verdict, r.outcome, r.reason
		x.record.errorType, x.record.errorCode = r.errorType, r.errorCode
		x.record.errorParam, x.record.errorMessage = r.errorParam, r.errorMessage
	}
	if mine.outcome != "" {
		x.record.outcome = mine.outcome
	}
}

// caller is the exchange as one that waits for a call that is made apart from it.
func (x *exchange) caller() *Caller {
	return &Caller{Call: x.Call, Life: &x.Life, callerHost: x, record: &x.record, create: x.unrepeatable()}
}
