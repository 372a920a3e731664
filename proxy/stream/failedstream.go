package stream

import (
	"errors"
	"io"

	"outrigger/policy/endpoint"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
	"outrigger/proxy/eventstream"
)

// endFailed ends a stream behind an error by which the upstream broke the answer off. What
// the upstream sent behind it is not passed on, and the connection is aborted: langchain4j
// takes an error event with a clean end, or with [DONE], for the end of a whole answer.
// An error in a shape that clients of the dialect take for none is told again in the
// stream's own language. It returns how much of chunk, the bytes just read, is passed
// on, and whether the stream has ended so.
//
// In Responses a response.failed may follow, with more about the failure: Codex reads
// that event only. It is waited for, and makes the end a clean one; see failedEnd.
func (s *answer) endFailed(chunk []byte) (int, bool) {
	w, before := s.watcher(), s.x.Record.BytesOut
	dialect := s.x.Endpoint.Dialect
	if w == nil || !w.Broke() || dialect == endpoint.Unknown || dialect == endpoint.Responses {
		return 0, false
	}
	if s.a.Content.Encoded() { // at which byte an event ends, nobody knows
		if w.Unseen() {
			s.dropUnseen()
		}
		return 0, w.Unseen()
	}
	failure, _ := w.Error()
	if failure.End < before || failure.End > before+int64(len(chunk)) {
		return 0, false // it was passed on while it was being held, with what follows it
	}
	chunk = chunk[:failure.End-before]
	s.x.Record.BytesOut += int64(len(chunk))
	if n := len(chunk); n > 0 && chunk[n-1] == '\r' {
		s.tail = append(s.tail, '\n') // the rest of the CRLF
	}
	s.abort = true
	if w.Unseen() {
		s.tail = append(s.tail, eventstream.Interruption(dialect, attempt.CodeInterrupted, attempt.BrokenOff(s.x.Mask, w), w.Sequence())...)
	}
	s.end(call.OutcomeCompleted) // which becomes failed
	return len(chunk), true
}

// failedEnd makes the end of a stream whose error was passed on with all that followed it
// what endFailed makes of others.
func (s *answer) failedEnd(w *eventstream.Watcher) {
	if s.abort || !w.Broke() || s.x.Endpoint.Dialect == endpoint.Unknown {
		return
	}
	s.abort = true
	if w.Unseen() && !s.a.Content.Encoded() {
		s.tail = append(s.tail, w.Interruption(attempt.CodeInterrupted, attempt.BrokenOff(s.x.Mask, w))...)
	}
}

// last returns what the caller reads at the end of an answer that has ended, once the tail
// is read.
func (s *answer) last() error {
	if s.abort {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// ending returns the error that goes with the last bytes of the upstream's: none while
// there is a tail to be read.
func (s *answer) ending(err error) error {
	if len(s.tail) > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return s.last()
	}
	return err
}
