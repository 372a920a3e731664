package stream

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// wholeEncoded reports whether an end of the bytes is the end of an encoded answer: the
// encoding has come to its own, and what is in it too. An error in it that ends it well
// would look like an answer to some. Of what could not be decoded nothing is known.
func (s *answer) wholeEncoded() bool {
	if s.a.Content.Torn() {
		return false
	}
	w := s.watcher()
	if w == nil || s.a.Content.Lost() || s.x.Endpoint.Dialect == endpoint.Unknown {
		return true
	}
	done := s.saidAll()
	s.a.Lacking = s.a.Lacking || len(w.End()) > 0 && !done
	_, failed := w.Error()
	// A response.failed is an end that all clients of Responses know.
	return s.saidAll() && !s.a.Lacking && (!failed || s.x.Endpoint.Dialect == endpoint.Responses)
}

// cutEncoded ends an encoded answer that broke off. Nothing can be added in the middle of
// what is encoded: the connection alone tells of it, and the log.
func (s *answer) cutEncoded(err error) error {
	x := s.x
	if s.wholeEncoded() && s.saidAll() { // what broke off was nothing the caller misses
		s.end(call.OutcomeCompleted)
		return io.EOF
	}
	if x.Left() {
		s.end(call.OutcomeCanceled)
		return err
	}
	s.abort = true
	failed := false
	if w := s.watcher(); w != nil {
		_, failed = w.Error()
	}
	if failed {
		s.end(call.OutcomeCompleted) // which becomes failed
	} else {
		x.Record.Reason = attempt.CutReason(s.a.Ctx, err, s.a.Content.Lost())
		s.end(call.OutcomeInterrupted)
		if !errors.Is(context.Cause(x.Ctx), apierror.ErrDraining) {
			x.BrokeOff()
		}
	}
	s.tellCut(s.cutMessage(err))
	return io.ErrUnexpectedEOF
}

// dropUnseen ends an encoded answer before the bytes that hold an error in a shape that
// clients take for none: a [DONE] may follow it in them, and they cannot be divided.
func (s *answer) dropUnseen() {
	s.abort = true
	s.end(call.OutcomeCompleted) // which becomes failed
	s.tellCut("the upstream told of an error that clients do not see")
}

// tellCut tells the log what cannot be told in the stream.
func (s *answer) tellCut(reason string) {
	x := s.x
	x.Recorder.Notice(observe.Notice{Level: slog.LevelWarn, Message: "an encoded answer was cut: its connection is aborted, since no error event can be added to it", Fields: []slog.Attr{
		slog.String("id", x.ID), slog.String("upstream", x.Up.Config.Name), slog.String("reason", reason),
	}})
}
