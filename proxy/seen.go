package proxy

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	proxycall "outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/pick"
	"outrigger/proxy/response"
	"outrigger/proxy/shadow"
	proxywire "outrigger/proxy/wire"
)

// sighting is what is seen of a request that is only observed, and its shadow: an exchange that has
// no caller, and stands at the attempt loop when the request's body is known.
type sighting struct {
	o       *observing
	real    *shadow.Real
	account *shadow.Account
	request *http.Request // as the shadow has it
	again   bool          // the request is a client's own retry
	body    *passing      // nil if it has none
	streams bool          // its answer is an event stream or a WebSocket

	mu     sync.Mutex
	shade  *exchange
	picker *pick.Picker
	size   int64
	begun  bool                // the body is known
	runs   bool                // the shadow does, or did
	done   chan *observe.Event // the request's own end
}

// see begins to look at a request. Its body is looked at while it passes.
func (o *observing) see(x *exchange, r *http.Request) *sighting {
	s := &sighting{o: o, real: shadow.NewReal(), request: r.Clone(context.WithoutCancel(r.Context())), done: make(chan *observe.Event, 1)}
	s.account = &shadow.Account{ID: x.ID, Spans: o.p.recent, Notices: o.p.recorder}
	n := r.Header.Get("X-Stainless-Retry-Count")
	s.again = n != "" && n != "0"
	s.request.Body, s.request.ContentLength = nil, 0
	c := *x.Call
	s.shade = o.p.newExchange(s.request.Context(), x.gen.pinAgain(), &nowhere{}, &c)
	shared := *x.Loop
	shared.Recorder, shared.Tracer = s.account, nil
	s.shade.Loop, s.shade.Candidates, s.shade.Up, s.shade.StandIn = &shared, x.Candidates, x.Up, s
	s.request = s.request.WithContext(s.shade.Ctx)
	s.picker = pick.New(r.Header.Get("Content-Type"))
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		s.begin()
	} else {
		s.body = &passing{ReadCloser: r.Body, s: s, length: r.ContentLength, expects: r.ProtoMajor != 1 || r.Header.Get("Expect") != ""}
		r.Body = s.body
	}
	return s
}

// passing shows a request's body to the picker while it is sent.
type passing struct {
	io.ReadCloser
	s       *sighting
	length  int64 // -1 is not known
	expects bool  // the caller waits for leave to send it
	closed  atomic.Bool
	reading sync.Mutex
}

// Read implements io.Reader.
func (t *passing) Read(p []byte) (int, error) {
	if t.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return t.read(p)
}

// Close implements io.Closer. The server closes its caller's body itself.
func (t *passing) Close() error {
	t.closed.Store(true)
	return nil
}

// rest reads what nobody took: the server would read as much itself before it answers, or after.
func (t *passing) rest() {
	if t.length < 0 || t.length > smallRest || t.expects {
		return
	}
	buf := response.Buffers.Get()
	defer response.Buffers.Put(buf)
	for err := error(nil); err == nil; {
		_, err = t.read(*buf)
	}
}

func (t *passing) read(p []byte) (int, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	n, err := t.ReadCloser.Read(p)
	t.s.mu.Lock()
	_, _ = t.s.picker.Write(p[:n])
	t.s.size += int64(n)
	whole := err == io.EOF || t.s.size == t.length
	t.s.mu.Unlock()
	if whole {
		t.s.begin()
	}
	return n, err
}

// begin starts the shadow: the request's body is known. The request waits for nothing of it.
func (s *sighting) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return
	}
	s.begun = true
	x := s.shade
	x.Facts, x.Size = s.picker.Facts(), s.size
	if !x.Facts.Valid && s.size > 0 && codes(contentEncoding(s.request)) {
		x.Facts = pick.Facts{Facts: endpoint.Facts{Unread: true}}
	}
	x.identify(s.request)
	s.o.calls.Add(s.real, s.key(), x.Endpoint.Effect)
	if s.again || proxywire.IsWebSocket(s.request.Header) {
		return
	}
	select {
	case s.o.free <- struct{}{}:
	default:
		return
	}
	s.runs = true
	s.o.shadows.Add(&x.Life)
	s.o.running.Go(s.run)
}

func (s *sighting) hasBegun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// key tells the calls apart that say nothing about this one.
func (s *sighting) key() shadow.Key {
	return shadow.Key{Lane: s.shade.Up.Config.Name, Endpoint: s.shade.Endpoint.Name, Model: s.shade.Facts.Model}
}

// run is the shadow's way, from the loop to its end.
func (s *sighting) run() {
	x, o := s.shade, s.o
	defer func() { <-o.free }()
	defer o.shadows.Remove(&x.Life)
	whole := s.enforce()
	e := *<-s.done
	_, well := s.real.Last().Verdict()
	e.Foreseen = s.account.Foresee(&x.Record, !well)
	if !whole {
		e.Foreseen = &observe.Foreseen{Would: []observe.Would{observe.WouldUnknown}}
	}
	o.p.recorder.Done(&e)
}

// enforce takes the shadow through the loop, and reports whether it came through. Its panics reach
// nobody.
func (s *sighting) enforce() (whole bool) { //nolint:nonamedreturns // a panic changes it
	x := s.shade
	defer x.close()
	defer func() {
		whole = true
		if panicked := recover(); panicked != nil && panicked != http.ErrAbortHandler { //nolint:errorlint // net/http's own
			whole = false
			observe.Survived(s.o.p.recorder, "shadow", panicked)
		}
	}()
	x.Affinity = x.Homes.Reads(x.Names, s.request)
	if err := x.lookAtCaller(s.request); err != nil {
		x.fail(x.w, err)
		return true
	}
	x.setDeadline(s.request)
	s.o.p.relay.ServeHTTP(x.w, s.request)
	return true
}

// RoundTrip implements http.RoundTripper: it answers the shadow's attempts.
func (s *sighting) RoundTrip(req *http.Request) (*http.Response, error) {
	k, x := s.key(), s.shade
	return s.o.calls.Answer(req, shadow.Ask{Key: k, Own: s.real, Number: x.Record.Attempts, Queued: x.Record.Queue, Held: x.Record.Gate})
}

// conclude takes down how the request ended. A caller that left takes the shadow along.
func (s *sighting) conclude(x *exchange) {
	if s.body != nil && !s.hasBegun() && x.Ctx.Err() == nil {
		s.body.rest()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.Facts, x.Endpoint, x.Size = s.shade.Facts, s.shade.Endpoint, s.size
	v, well := s.real.Last().Verdict()
	for _, field := range [...]*string{&v.Error.Type, &v.Error.Code, &v.Error.Param, &v.Error.Message} {
		*field = x.Mask(*field)
	}
	x.Record.Verdict, x.Record.BytesOut = v, s.real.Last().Size()
	x.Record.Failed(v.Error)
	switch left := x.Ctx.Err() != nil; {
	case well:
		x.Record.Outcome = proxycall.OutcomeCompleted
	case left:
		x.Record.Outcome = proxycall.OutcomeCanceled
		s.shade.Cancel(context.Canceled)
	case v.Outcome == classify.OutcomeOK && !s.streams:
		x.Record.Outcome = proxycall.OutcomeFailed
	case v.Outcome == classify.OutcomeOK, x.Record.Status != http.StatusBadGateway && v.Outcome == classify.OutcomeBroke:
		x.Record.Outcome = proxycall.OutcomeInterrupted
	}
	if s.again {
		s.o.live.Span(x.ID, observe.Moment(observe.SpanClientRetry, x.Up.Config.Name, ""))
	}
	now := time.Now()
	if s.streams {
		s.o.p.recorder.Span("", observe.Span{Kind: observe.SpanStream, Lane: x.Up.Config.Name, Reason: x.Record.Result(), Start: x.Start, End: now})
	}
	s.o.live.Span(x.ID, observe.Span{
		Kind: observe.SpanAttempt, Lane: x.Up.Config.Name, Reason: "observed", Start: x.Start, End: now,
		Try: observe.Try{Number: 1, Status: x.Record.Status, Outcome: v.Outcome, Rule: v.Rule},
	})
}

// ended lets the shadow tell what would have been, or tells that it does not.
func (s *sighting) ended(e *observe.Event) {
	s.mu.Lock()
	s.begun = true // from here on nobody waits for a shadow
	runs := s.runs
	s.mu.Unlock()
	if runs {
		s.done <- e
		return
	}
	s.shade.Cancel(apierror.ErrFinished)
	s.shade.close()
	told := *e
	told.Foreseen = &observe.Foreseen{Would: []observe.Would{observe.WouldUnknown}}
	if s.again {
		told.Foreseen.Would[0] = observe.WouldNotCome
	}
	s.o.p.recorder.Done(&told)
}

// nowhere is the caller of a shadow.
type nowhere struct{ h http.Header }

// Header implements http.ResponseWriter.
func (n *nowhere) Header() http.Header {
	if n.h == nil {
		n.h = http.Header{}
	}
	return n.h
}

// Write implements http.ResponseWriter.
func (*nowhere) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (*nowhere) WriteHeader(int) {}

// Flush implements http.Flusher.
func (*nowhere) Flush() {}
