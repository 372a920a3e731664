package proxy

import "outrigger/proxy/wsframe"

// Close codes by which a server says that it failed, not its client (IANA WebSocket
// Close Code Number Registry): internal error to bad gateway.
const (
	closeProtocol = 1002
	closeInternal = 1011
	closeGateway  = 1014
)

// record notes how the tunnel ended. Both flows have.
func (t *tunnel) record() {
	x, o := t.x, t.outcome()
	x.record.outcome, x.record.closeCode = o, t.closeCode()
	x.record.bytesOut, x.record.bytesIn = t.down.bytes, t.up.bytes
	if o == outcomeInterrupted {
		x.record.reason = t.why
	}
	failed := x.record.closeCode >= closeInternal && x.record.closeCode <= closeGateway
	if t.first != draining && (o == outcomeInterrupted || o == outcomeFailed && failed) {
		x.brokeOff()
	}
	x.metrics.streamsOpen.Dec()
	x.up.metrics.streamEnded(o)
	x.current.finish(errFinished)
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
