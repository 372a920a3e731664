package stream

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"outrigger/internal/jsonscan"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
	"outrigger/proxy/eventstream"
	"outrigger/proxy/observe"
	"outrigger/proxy/response"
	"outrigger/proxy/sticky"
	"outrigger/proxy/wire"
)

// answer is a committed answer's body. It passes the upstream's bytes on and
// knows how the answer ended. Not safe for concurrent use.
type answer struct {
	x       *Serving
	a       *attempt.Attempt
	src     io.Reader
	idle    time.Duration
	silence silence
	stream  bool
	began   time.Time // when it was committed

	learner *sticky.Learner   // reads the ids of objects; nil when the answer has none
	batches io.Writer         // reads the states of batches; nil when the answer has none
	list    *jsonscan.Nesting // follows a stream that is a JSON list; nil when it is none
	tail    []byte            // what Outrigger adds to a stream that was cut
	abort   bool              // the end is not to look clean
	ended   bool

	patience *time.Timer // bounds what comes behind the last event; nil before it
	overAt   time.Time   // when to stop waiting for what comes behind a whole answer; zero before it
	told     int64       // events that said something when overAt was set
}

// Serve makes a's answer the committed one: from here on its body is watched to its true end.
// learner reads the ids of objects in it, and batches the states of batches; nil when it has
// none.
func Serve(x *Serving, a *attempt.Attempt, learner *sticky.Learner, batches io.Writer) {
	resp := a.Resp
	s := &answer{x: x, a: a, began: time.Now(), src: a.Body, idle: x.Idle, learner: learner, batches: batches, list: listens(x, a)}
	s.silence.ring = s.silent
	if a.Resumed != nil {
		s.idle = 0 // it sees to silences itself
	}
	if a.Watcher != nil || wire.MediaType(resp.Header) == wire.TypeEvents {
		s.stream = true
		x.Recorder.Begin(observe.SpanStream, x.Up.Config.Name)
	}
	if a.Content.What() < response.KindText {
		// What Outrigger may have to add would not fit in, and a stream that was cut
		// where the length ends would look whole. Without it each read is flushed, so
		// that what a cut one had is not lost with its end.
		delete(resp.Header, "Content-Length")
		resp.ContentLength = -1
	}
	resp.Body = s
	// ReverseProxy flushes after each read of a body of unknown length. One that is
	// held whole, or empty, goes out with its headers, in one piece.
	switch {
	case a.Held.Complete():
		x.Withhold()
	case a.Body == http.NoBody:
		resp.ContentLength = max(resp.ContentLength, 0)
	default:
		resp.ContentLength = -1
	}
}

// Read passes on the next bytes, as they come.
func (s *answer) Read(p []byte) (int, error) {
	if s.ended {
		return s.readTail(p)
	}
	if s.finished() {
		return s.readEnd(p)
	}
	s.arm()
	n, err := s.src.Read(p)
	s.silence.end()
	if s.list != nil {
		_, _ = s.list.Write(p[:n])
	}
	whole := errors.Is(err, io.EOF) && s.whole()
	if n, ok := s.endFailed(p[:n]); ok {
		return n, nil
	}
	s.x.Record.BytesOut += int64(n)
	if s.learner != nil {
		_, _ = s.learner.Write(p[:n])
	}
	if s.batches != nil {
		_, _ = s.batches.Write(p[:n])
	}
	s.x.ExtendWrite()
	switch {
	case err == nil:
		s.withholdEnd()
		return n, nil
	case whole:
		s.end(call.OutcomeCompleted)
	default:
		err = s.cut(err)
	}
	return n, s.ending(err)
}

// Close ends an answer whose end was not reached: the caller left, unless the
// stream had said all.
func (s *answer) Close() error {
	if !s.ended {
		outcome := call.OutcomeCanceled
		if s.saidAll() {
			outcome = call.OutcomeCompleted
		}
		s.end(outcome)
	}
	s.silence.stop()
	s.a.Finish(apierror.ErrFinished)
	response.CleanTrailer(s.a.Resp)
	return nil
}

// watcher returns the stream's watcher once nothing else feeds it, or nil.
func (s *answer) watcher() *eventstream.Watcher {
	if s.a.Held.Busy() {
		return nil
	}
	if s.a.Watcher == nil {
		s.a.Watcher = s.a.Content.Events() // it may be known only now
	}
	return s.a.Watcher
}

// finished reports whether the stream has said that nothing follows, and all of
// it was passed on. Older SDKs read until the connection's end, so it is ended.
func (s *answer) finished() bool {
	w := s.watcher()
	return w != nil && w.Finished() && s.a.Held.Drained() && !s.a.Content.Open()
}

// saidAll reports whether nothing is missing, whatever follows. An end that comes
// once for each choice or image does not tell that where several were asked for.
func (s *answer) saidAll() bool {
	w := s.watcher()
	if w == nil {
		return false
	}
	_, failed := w.Error()
	return failed || w.Finished() || w.Done() && w.Answers() >= s.x.Facts.N
}

// whole reports whether an end of the bytes is the end of the answer. A last
// event that lacks its blank line is given it: SDKs would drop the event.
func (s *answer) whole() bool {
	if s.a.Content.Encoded() {
		return s.wholeEncoded()
	}
	w := s.watcher()
	if w == nil || s.x.Endpoint.Dialect == endpoint.Unknown {
		return s.list == nil || !s.list.Open()
	}
	s.tail = slices.Concat(s.a.Missing, w.End())
	return s.saidAll()
}

func (s *answer) readTail(p []byte) (int, error) {
	if len(s.tail) == 0 {
		return 0, s.last()
	}
	n := copy(p, s.tail)
	s.tail = s.tail[n:]
	return n, nil
}

// end records how the answer ended, once.
func (s *answer) end(o call.Outcome) {
	s.ended = true
	x := s.x
	if w := s.watcher(); w != nil {
		if _, failed := w.Error(); failed && o == call.OutcomeCompleted {
			o = call.OutcomeFailed
			s.failedEnd(w)
			x.BrokeOff()
		}
		x.Record.PromptTokens, x.Record.CompletionTokens = w.Usage()
	}
	x.Record.Outcome = o
	if s.a.Resumed != nil {
		x.Record.Resumes = s.a.Resumed.Count()
	}
	if s.stream {
		x.Recorder.Span(x.ID, observe.Span{Kind: observe.SpanStream, Lane: x.Up.Config.Name, Reason: string(o), Start: s.began, End: time.Now()})
	}
}

// listens returns what follows the answer of a, if that may be a list: without alt=sse
// Gemini's streamGenerateContent sends the chunks as members of one, [{…},
// {…}], which is whole only with its last bracket.
func listens(x *Serving, a *attempt.Attempt) *jsonscan.Nesting {
	if x.Endpoint.Dialect != endpoint.Gemini || a.Watcher != nil || a.Content.Encoded() || a.Content.What() != response.KindText || !wire.IsSuccess(a.Resp.StatusCode) {
		return nil
	}
	return &jsonscan.Nesting{}
}

// withholdEnd withholds what was read last if nothing follows it.
func (s *answer) withholdEnd() {
	if s.finished() {
		s.x.Withhold()
	}
}
