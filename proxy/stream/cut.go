package stream

import (
	"context"
	"errors"
	"io"

	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
)

// cut ends an answer that broke off: in the stream's own language, where it has
// one, and never with a clean end.
func (s *answer) cut(err error) error {
	x, w := s.x, s.watcher()
	if s.a.Content.Encoded() {
		return s.cutEncoded(err)
	}
	if w != nil && x.Endpoint.Dialect != endpoint.Unknown {
		s.tail = append(s.tail, w.End()...) // what lacks no more than its blank line is whole
	}
	if s.saidAll() { // what broke off was nothing the caller misses
		s.end(call.OutcomeCompleted)
		return io.EOF
	}
	if x.Left() {
		s.end(call.OutcomeCanceled)
		return err
	}
	s.abort = true
	x.Record.Reason = attempt.CutReason(s.a.Ctx, err, false)
	s.end(call.OutcomeInterrupted)
	if !errors.Is(context.Cause(x.Ctx), apierror.ErrDraining) {
		x.BrokeOff()
	}
	if w != nil {
		s.tail = append(s.tail, w.Interruption(attempt.CodeInterrupted, s.cutMessage(err))...)
	}
	return io.ErrUnexpectedEOF
}

// cutMessage tells a caller what became of its stream.
func (s *answer) cutMessage(err error) string {
	x := s.x
	reason := "the connection to upstream \"" + x.Up.Config.Name + "\" was lost"
	switch cause := context.Cause(s.a.Ctx); {
	case errors.Is(cause, apierror.ErrStreamIdle):
		reason = "upstream \"" + x.Up.Config.Name + "\" sent nothing for " + x.Idle.String()
	case errors.Is(cause, apierror.ErrDraining):
		reason = "Outrigger is shutting down"
	case errors.Is(err, io.EOF):
		reason = "upstream \"" + x.Up.Config.Name + "\" ended the stream without finishing it"
	}
	if s.a.Resumed == nil {
		return "The stream was cut: " + reason + again
	}
	return "The stream was cut: " + reason + s.a.Resumed.Advice()
}
