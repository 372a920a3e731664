package proxy

import (
	"outrigger/proxy/eventstream"
)

// endUnseen ends a stream behind an error that the upstream told in a shape that clients
// take for no error: after it they see a clean end, or [DONE], and the answer looks
// whole. The error is passed on, then told again in the stream's own language; what the
// upstream sent behind it is not. It returns how much of chunk, the bytes just read, is
// passed on, and whether the stream has ended so.
func (s *answer) endUnseen(chunk []byte) (int, bool) {
	w, before := s.watcher(), s.x.record.bytesOut
	if w == nil || !w.Unseen() {
		return 0, false
	}
	if s.a.content.encoded() {
		s.dropUnseen()
		return 0, true
	}
	failure, _ := w.Error()
	if failure.End < before || failure.End > before+int64(len(chunk)) {
		return 0, false // it was passed on while it was being held, with what follows it
	}
	chunk = chunk[:failure.End-before]
	s.x.record.bytesOut += int64(len(chunk))
	if n := len(chunk); n > 0 && chunk[n-1] == '\r' {
		s.tail = append(s.tail, '\n') // the rest of the CRLF
	}
	s.tail = append(s.tail, eventstream.Interruption(s.x.endpoint.Dialect, "stream_interrupted",
		"The upstream broke the stream off with an error: "+maskKeys(string(failure.Data)), w.Sequence()+1)...)
	s.abort = true
	s.end(outcomeCompleted) // which becomes failed
	return len(chunk), true
}
