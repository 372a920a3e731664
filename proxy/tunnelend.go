package proxy

import (
	"time"

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
	r, o := t.record, t.outcome()
	r.outcome, r.closeCode = o, t.closeCode()
	r.bytesOut, r.bytesIn = t.down.bytes, t.up.bytes
	if o == outcomeInterrupted {
		r.reason = t.why
	}
	failed := r.closeCode >= closeInternal && r.closeCode <= closeGateway
	if t.first != draining && (o == outcomeInterrupted || o == outcomeFailed && failed) {
		t.host.brokeOff()
	}
	t.recorder.Span(t.id, Span{Kind: SpanStream, Lane: t.lane, Reason: string(o), Start: t.began, End: time.Now()})
	t.host.finish()
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
func (t *tunnel) outcome() outcome {
	code := t.down.frames.Closed()
	switch {
	case t.first == draining:
		return outcomeInterrupted
	case code >= closeProtocol && code <= closeGateway && code != wsframe.NoStatus:
		return outcomeFailed
	case code != 0 || t.up.frames.Closed() != 0:
		return outcomeCompleted
	case t.first == caller:
		return outcomeCanceled
	case t.clean && t.down.frames.Lost():
		return outcomeCompleted // a language of its own, which ends as it does
	}
	return outcomeInterrupted
}
