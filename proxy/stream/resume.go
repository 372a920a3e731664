package stream

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/carrier"
	"outrigger/proxy/eventstream"
	"outrigger/proxy/lane"
	"outrigger/proxy/response"
)

// resumeWindow is how long after its start a background stream is resumed. Its events are
// kept for about five minutes, and a later cursor is refused (openai/openai-python#2828;
// docs.perplexity.ai, "Background mode": a reconnect outside of the window is a 400).
const resumeWindow = 5 * time.Minute

// resuming is the body of a background Responses stream: when the stream is cut, the rest
// is fetched (GET /v1/responses/{id}?stream=true&starting_after=N) and follows in the same
// answer. Only whole events are passed on, so that the rest can begin with the next one.
// Whoever reads it sees one stream, or the cut as it was.
//
// A stream whose first event has no id or number passes as it comes and is never resumed.
// One reader at a time; Close and what is told of it may be called beside it.
type resuming struct {
	x       *Serving
	a       *attempt.Attempt
	up      *lane.Lane
	request *http.Request // as the upstream got it
	account carrier.Credential
	idle    time.Duration // longest silence; 0 is no bound
	until   time.Time     // no resume begins after it

	events  wholeEvents
	watcher *eventstream.Watcher // of one event at a time
	err     error                // what the reader gets behind the last byte
	position
	gap
	connection
	timer   *time.Timer
	resumes atomic.Int64 // resumes that brought something new
}

// position is how far a stream has been passed on.
type position struct {
	id      string // of the response; "" until its first event
	wants   string // what the request says about its events, as a query
	last    int64  // number of the last event that was passed on; -1 before the first
	gapless bool   // each number was the one before and 1
	plain   bool   // it passes as it comes
	over    bool   // the answer is whole, or failed by an event: its end is no cut
}

// gap is the present cut and what was done about it.
type gap struct {
	cut    time.Time     // when the present silence began; zero outside of one
	idled  bool          // by a silence of the upstream's
	half   []byte        // of the event that was cut, for the reader if nothing mends it
	again  bool          // the present connection is a resumed one
	fresh  bool          // and brought something new
	behind bool          // it repeats what was passed on
	fails  int           // resumes in vain, in a row
	hint   time.Duration // the wait that the last refusal named
	began  time.Time     // the present resume
}

// connection is where the stream comes from now. It may be closed beside a Read.
type connection struct {
	mu     sync.Mutex
	src    io.ReadCloser
	stop   context.CancelCauseFunc // of a resumed connection
	silent bool                    // the present connection was ended for its silence
	closed bool
	told   string // why the stream could not be resumed
}

// Resumable makes the body of a's answer one that resumes itself. request is what the
// upstream was sent for account; room is for what is held of events.
func Resumable(x *Serving, a *attempt.Attempt, request *http.Request, account carrier.Credential, room response.Room) {
	if a.Resp.StatusCode != http.StatusOK || a.Resp.Header.Get("Content-Encoding") != "" {
		return
	}
	id, wants := "", ""
	if x.Method == http.MethodGet {
		if id = streamedID(request.URL); id == "" {
			return
		}
	} else {
		wants = streamWants(&x.Body)
	}
	r := &resuming{
		x: x, a: a, up: x.Up, request: request, account: account, idle: x.Idle, until: a.Started.Add(resumeWindow),
		watcher: eventstream.New(endpoint.Responses), position: position{id: id, wants: wants, last: -1, gapless: true},
	}
	r.src = a.Resp.Body
	r.events.room = room
	a.Resumed, a.Resp.Body, a.Body = r, r, r
}

// Read implements io.Reader.
func (r *resuming) Read(p []byte) (int, error) {
	for {
		if n := r.events.take(p); n > 0 {
			return n, nil
		}
		if r.err != nil {
			return 0, r.err
		}
		if r.plain {
			n, err := r.read(p)
			if err != nil {
				r.end(err)
			}
			return n, err
		}
		n, err := r.read(r.events.space())
		if bad := r.sort(n); bad != nil {
			err = bad
		}
		if err != nil {
			r.ended(err)
		}
	}
}

// sort passes on or drops the events that are whole by now. An error says that the
// connection, a resumed one, does not go on where it should.
func (r *resuming) sort(n int) error {
	if !r.events.grow(n) {
		r.passAsIs()
	}
	for !r.plain {
		event := r.events.next()
		if event == nil && r.last < 0 && r.events.isOdd() {
			r.passAsIs()
		}
		if event == nil {
			return nil
		}
		keep, err := r.judge(event)
		switch {
		case err != nil:
			return err
		case r.plain: // since this one: all of it passes
		case keep:
			r.events.pass()
			r.cut = time.Time{}
		default:
			r.events.drop()
		}
	}
	return nil
}

// passAsIs gives up that the stream can be resumed: all that is there, and all that comes,
// passes.
func (r *resuming) passAsIs() {
	r.plain = true
	r.events.passAll()
}

// read reads the present connection, and ends it when it is silent for too long.
func (r *resuming) read(p []byte) (int, error) {
	r.mu.Lock()
	src := r.src
	r.mu.Unlock()
	if d := r.patience(time.Now()); d > 0 {
		if r.timer == nil {
			r.timer = time.AfterFunc(d, r.silence)
		} else {
			r.timer.Reset(d)
		}
		defer r.timer.Stop()
	}
	return src.Read(p)
}

// silence ends the present connection.
func (r *resuming) silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = true
	r.Release(apierror.ErrStreamIdle)
}

// Release lets go of the present connection. Locked.
func (r *resuming) Release(cause error) {
	if r.stop != nil {
		r.stop(cause)
	}
	_ = r.src.Close()
}

// Close ends the stream. It may be called beside Read.
func (r *resuming) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.Release(apierror.ErrFinished)
	r.events.free()
	return nil
}
