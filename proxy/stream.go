package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"outrigger/internal/jsonscan"
	"outrigger/policy/endpoint"
	"outrigger/proxy/eventstream"
	"outrigger/proxy/sticky"
)

// serving is what a committed answer needs of the run that brought it.
type serving struct {
	*Call
	streamHost
	record      *Result
	ctx         context.Context
	up          *lane
	recorder    Recorder
	idle        time.Duration // the longest silence inside the answer; 0 is no bound
	breakerWait time.Duration // how long a resume waits at an open breaker
}

// streamHost is the run's side of a committed answer.
type streamHost interface {
	// extendWrite moves the deadline for writing to the caller.
	extendWrite()
	// withhold keeps what is written from now on until the answer is stored: it is its end.
	withhold()
	// brokeOff tells the breakers that the answer broke off.
	brokeOff()
	// left reports whether the caller is gone.
	left() bool
	// mask hides credentials in what the upstream said.
	mask(message string) string
}

// answer is a committed answer's body. It passes the upstream's bytes on and
// knows how the answer ended. Not safe for concurrent use.
type answer struct {
	x      *serving
	a      *attempt
	src    io.Reader
	idle   time.Duration
	timer  *time.Timer
	stream bool
	began  time.Time // when it was committed

	learner *sticky.Learner   // reads the ids of objects; nil when the answer has none
	list    *jsonscan.Nesting // follows a stream that is a JSON list; nil when it is none
	tail    []byte            // what Outrigger adds to a stream that was cut
	abort   bool              // the end is not to look clean
	ended   bool

	patience *time.Timer // bounds what comes behind the last event; nil before it
	overAt   time.Time   // when to stop waiting for what comes behind a whole answer; zero before it
	told     int64       // events that said something when overAt was set
}

// serve makes a's answer the committed one: from here on its body is watched to its true end.
// learner reads the ids of objects in it; nil when it has none.
func serve(x *serving, a *attempt, learner *sticky.Learner) {
	resp := a.resp
	s := &answer{x: x, a: a, began: time.Now(), src: a.body, idle: x.idle, learner: learner, list: listens(x, a)}
	if a.resumed != nil {
		s.idle = 0 // it sees to silences itself
	}
	if a.watcher != nil || mediaType(resp.Header) == typeEvents {
		s.stream = true
		x.recorder.Begin(SpanStream, x.up.config.Name)
	}
	if a.content.what() < kindText {
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
	case a.held.complete():
		x.withhold()
	case a.body == http.NoBody:
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
	s.disarm()
	if s.list != nil {
		_, _ = s.list.Write(p[:n])
	}
	whole := errors.Is(err, io.EOF) && s.whole()
	if n, ok := s.endFailed(p[:n]); ok {
		return n, nil
	}
	s.x.record.bytesOut += int64(n)
	if s.learner != nil {
		_, _ = s.learner.Write(p[:n])
	}
	s.x.extendWrite()
	switch {
	case err == nil:
		s.withholdEnd()
		return n, nil
	case whole:
		s.end(outcomeCompleted)
	default:
		err = s.cut(err)
	}
	return n, s.ending(err)
}

// Close ends an answer whose end was not reached: the caller left, unless the
// stream had said all.
func (s *answer) Close() error {
	if !s.ended {
		outcome := outcomeCanceled
		if s.saidAll() {
			outcome = outcomeCompleted
		}
		s.end(outcome)
	}
	s.a.finish(errFinished)
	cleanTrailer(s.a.resp)
	return nil
}

// watcher returns the stream's watcher once nothing else feeds it, or nil.
func (s *answer) watcher() *eventstream.Watcher {
	if s.a.held.busy() {
		return nil
	}
	if s.a.watcher == nil {
		s.a.watcher = s.a.content.events() // it may be known only now
	}
	return s.a.watcher
}

// finished reports whether the stream has said that nothing follows, and all of
// it was passed on. Older SDKs read until the connection's end, so it is ended.
func (s *answer) finished() bool {
	w := s.watcher()
	return w != nil && w.Finished() && s.a.held.drained() && !s.a.content.open()
}

// saidAll reports whether nothing is missing, whatever follows. An end that comes
// once for each choice or image does not tell that where several were asked for.
func (s *answer) saidAll() bool {
	w := s.watcher()
	if w == nil {
		return false
	}
	_, failed := w.Error()
	return failed || w.Finished() || w.Done() && w.Answers() >= s.x.facts.N
}

// whole reports whether an end of the bytes is the end of the answer. A last
// event that lacks its blank line is given it: SDKs would drop the event.
func (s *answer) whole() bool {
	if s.a.content.encoded() {
		return s.wholeEncoded()
	}
	w := s.watcher()
	if w == nil || s.x.endpoint.Dialect == endpoint.Unknown {
		return s.list == nil || !s.list.Open()
	}
	s.tail = slices.Concat(s.a.missing, w.End())
	return s.saidAll()
}

// cut ends an answer that broke off: in the stream's own language, where it has
// one, and never with a clean end.
func (s *answer) cut(err error) error {
	x, w := s.x, s.watcher()
	if s.a.content.encoded() {
		return s.cutEncoded(err)
	}
	if w != nil && x.endpoint.Dialect != endpoint.Unknown {
		s.tail = append(s.tail, w.End()...) // what lacks no more than its blank line is whole
	}
	if s.saidAll() { // what broke off was nothing the caller misses
		s.end(outcomeCompleted)
		return io.EOF
	}
	if x.left() {
		s.end(outcomeCanceled)
		return err
	}
	s.abort = true
	x.record.reason = cutReason(s.a.ctx, err, false)
	s.end(outcomeInterrupted)
	if !errors.Is(context.Cause(x.ctx), errDraining) {
		x.brokeOff()
	}
	if w != nil {
		s.tail = append(s.tail, w.Interruption(codeInterrupted, s.cutMessage(err))...)
	}
	return io.ErrUnexpectedEOF
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
func (s *answer) end(o outcome) {
	s.ended = true
	x := s.x
	if w := s.watcher(); w != nil {
		if _, failed := w.Error(); failed && o == outcomeCompleted {
			o = outcomeFailed
			s.failedEnd(w)
			x.brokeOff()
		}
		x.record.promptTokens, x.record.completionTokens = w.Usage()
	}
	x.record.outcome = o
	if s.a.resumed != nil {
		x.record.resumes = s.a.resumed.count()
	}
	if s.stream {
		x.recorder.Span(x.id, Span{Kind: SpanStream, Lane: x.up.config.Name, Reason: string(o), Start: s.began, End: time.Now()})
	}
}

// cutMessage tells a caller what became of its stream.
func (s *answer) cutMessage(err error) string {
	x := s.x
	reason := "the connection to upstream \"" + x.up.config.Name + "\" was lost"
	switch cause := context.Cause(s.a.ctx); {
	case errors.Is(cause, errStreamIdle):
		reason = "upstream \"" + x.up.config.Name + "\" sent nothing for " + x.idle.String()
	case errors.Is(cause, errDraining):
		reason = "Outrigger is shutting down"
	case errors.Is(err, io.EOF):
		reason = "upstream \"" + x.up.config.Name + "\" ended the stream without finishing it"
	}
	if s.a.resumed == nil {
		return "The stream was cut: " + reason + again
	}
	return "The stream was cut: " + reason + s.a.resumed.advice()
}
