package proxy

import (
	"io"
	"time"
)

// endTime is how long an answer that has said all may take to end, so that its
// connection can be used again. The caller has the whole content by then, but
// some SDKs read on until the end.
const endTime = 25 * time.Millisecond

// readEnd reads what follows the last event of a finished stream until the upstream
// ends it or the time is over. It is passed on: the LF of the CRLF that ended the
// event, or what else the upstream has to say.
func (s *answer) readEnd(p []byte) (int, error) {
	if s.patience == nil {
		s.patience = time.AfterFunc(endTime, func() { s.a.cancel(errFinished) })
	}
	n, err := s.src.Read(p)
	s.x.record.bytesOut += int64(n)
	if err == nil {
		return n, nil
	}
	s.patience.Stop()
	s.end(outcomeCompleted)
	return n, s.ending(io.EOF)
}
