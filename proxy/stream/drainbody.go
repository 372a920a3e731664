package stream

import (
	"io"
	"time"

	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
)

// readEnd reads what follows the last event of a finished stream until the upstream
// ends it or the time is over. It is passed on: the LF of the CRLF that ended the
// event, or what else the upstream has to say.
func (s *answer) readEnd(p []byte) (int, error) {
	if s.patience == nil {
		s.patience = time.AfterFunc(attempt.EndTime, func() { s.a.Cancel(apierror.ErrFinished) })
	}
	n, err := s.src.Read(p)
	s.x.Record.BytesOut += int64(n)
	if err == nil {
		return n, nil
	}
	s.patience.Stop()
	s.end(call.OutcomeCompleted)
	return n, s.ending(io.EOF)
}
