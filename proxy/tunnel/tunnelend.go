package tunnel

import (
	"time"

	"outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/wsframe"
)

// Close codes by which a server says that it failed, not its client (IANA WebSocket
// Close Code Number Registry): internal error to bad gateway.
const (
	closeProtocol = 1002
	closeInternal = 1011
	closeGateway  = 1014
)

// finish notes how the tunnel ended. Both flows have.
func (t *tunnel) finish() {
	r, o := t.Record, t.outcome()
	r.Outcome, r.CloseCode = o, t.closeCode()
	r.BytesOut, r.BytesIn = t.down.bytes, t.up.bytes
	if o == call.OutcomeInterrupted {
		r.Reason = t.why
	}
	failed := r.CloseCode >= closeInternal && r.CloseCode <= closeGateway
	if t.first != draining && (o == call.OutcomeInterrupted || o == call.OutcomeFailed && failed) {
		t.Host.BrokeOff()
	}
	t.Recorder.Span(t.ID, observe.Span{Kind: observe.SpanStream, Lane: t.Lane, Reason: string(o), Start: t.began, End: time.Now()})
	t.Host.Finish()
}

// closeCode is the code of the Close frame that the upstream sent, or else of the
// caller's; 0 if there was none.
func (t *tunnel) closeCode() int {
	if code := t.down.frames.Closed(); code != 0 {
		return code
	}
	return t.up.frames.Closed()
}

// outcome tells how the tunnel ended: with a Close frame, or by whose leaving.
func (t *tunnel) outcome() call.Outcome {
	code := t.down.frames.Closed()
	switch {
	case t.first == draining:
		return call.OutcomeInterrupted
	case code >= closeProtocol && code <= closeGateway && code != wsframe.NoStatus:
		return call.OutcomeFailed
	case code != 0 || t.up.frames.Closed() != 0:
		return call.OutcomeCompleted
	case t.first == caller:
		return call.OutcomeCanceled
	case t.clean && t.down.frames.Lost():
		return call.OutcomeCompleted // a language of its own, which ends as it does
	}
	return call.OutcomeInterrupted
}
