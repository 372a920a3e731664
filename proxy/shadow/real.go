package shadow

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
)

// How much is kept of an answer's content. An error is read up to its first few hundred bytes, a
// stream up to its first event, and the end of one is its last event.
const (
	HeadMax = 4 << 10
	TailMax = 1 << 10
)

// Real is one call that was passed on, as it was seen. Its methods are safe for concurrent use.
// Make it with NewReal.
type Real struct {
	start time.Time
	shown time.Time // when it was shown to others: its body was sent

	again atomic.Pointer[Real] // the same call as the transport sent it again by itself

	connected, written atomic.Bool
	refused            atomic.Bool // for load

	mu       sync.Mutex
	group    *group // of the calls like it; nil until it is shown to others
	effect   endpoint.Effect
	changed  chan struct{} // closed at the next change; nil while nobody waits for one
	status   int           // 0 while there is no answer
	header   http.Header
	answered time.Duration // after start: the answer's headers, or the lack of any
	err      error         // why there is no answer, or no whole one
	content
	took time.Duration // to the end
	over bool

	stoodIn int // how often it was another's answer; under the Calls' lock
}

// content is what is kept of an answer's body.
type content struct {
	head, tail []byte
	size       int64
	first      time.Duration // the first byte
}

// NewReal returns the record of a call that begins now.
func NewReal() *Real { return &Real{start: time.Now()} }

// Trace returns hooks that note how far the call got. What the transport sends again by itself,
// because a kept connection was lost, is another call: enforce mode sees to it that it does not.
func (r *Real) Trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			last := r.Last()
			if last.connected.Load() {
				next := NewReal()
				last.repeated(next)
				last = next
			}
			last.change(func() { last.connected.Store(true) })
		},
		WroteHeaders: func() { r.Last().written.Store(true) },
	}
}

// errLost is how a call ended that the transport sent again by itself.
var errLost = errors.New("the connection was lost")

// repeated notes that the call was lost, and that next is the same once more.
func (r *Real) repeated(next *Real) {
	r.mu.Lock()
	g, effect := r.group, r.effect
	r.mu.Unlock()
	r.again.Store(next)
	if g != nil {
		g.calls.add(next, g, effect)
	}
	r.change(func() {
		r.answered = time.Since(r.start)
		r.end(errLost)
	})
}

// Last is the call as it was sent last.
func (r *Real) Last() *Real {
	for next := r.again.Load(); next != nil; next = r.again.Load() {
		r = next
	}
	return r
}

// Answered notes the answer's headers, and returns its body, which is to be read in the place of
// the one given.
func (r *Real) Answered(resp *http.Response) io.ReadCloser {
	header := resp.Header.Clone()
	r.change(func() { r.status, r.header, r.answered = resp.StatusCode, header, time.Since(r.start) })
	return &watched{ReadCloser: resp.Body, real: r}
}

// Failed notes that no answer came.
func (r *Real) Failed(err error) {
	r.change(func() {
		r.answered = time.Since(r.start)
		r.end(err)
	})
}

// change makes a change, and tells those who wait for one. A call that has ended changes no more.
func (r *Real) change(f func()) {
	if g := r.changeLocked(f); g != nil {
		g.calls.ended(r, g)
	}
}

// changeLocked returns the group of the call if it ends with the change.
func (r *Real) changeLocked(f func()) *group {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil
	}
	f()
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
	if r.over {
		return r.group
	}
	return nil
}

// next returns a channel that is closed at the next change. The lock is held.
func (r *Real) next() <-chan struct{} {
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// end notes the end. The lock is held.
func (r *Real) end(err error) { r.err, r.took, r.over = err, time.Since(r.start), true }

// read takes in what was read. The lock is held.
func (r *Real) read(p []byte) {
	if r.size == 0 {
		r.first = time.Since(r.start)
	}
	r.size += int64(len(p))
	r.head = append(r.head, p[:min(len(p), HeadMax-len(r.head))]...)
	if len(p) > TailMax {
		p = p[len(p)-TailMax:]
	}
	if over := len(r.tail) + len(p) - TailMax; over > 0 {
		r.tail = append(r.tail[:0], r.tail[min(over, len(r.tail)):]...)
	}
	r.tail = append(r.tail, p...)
}

// verdict is what the answer means, or the lack of one; false while there is none. The lock is held.
func (r *Real) verdict() (classify.Verdict, bool) {
	a := classify.Attempt{Effect: r.effect, Now: r.start.Add(r.answered), Status: r.status, Header: r.header}
	switch {
	case r.status >= http.StatusBadRequest && !r.over && r.size == 0, r.status == 0 && !r.over:
		return classify.Verdict{}, false
	case r.status >= http.StatusBadRequest:
		a.Body, a.Progress = r.head, classify.Answered
	case r.over && r.err != nil:
		a.Failure, a.Progress = classify.Broke, classify.Sent
		if !r.connected.Load() {
			a.Failure, a.Progress = classify.Unreachable, classify.NotSent
		}
	}
	v := classify.Classify(a)
	r.refused.Store(isLoad(v))
	return v, true
}

// Verdict is what the answer meant, and whether the call was answered well, to its end.
func (r *Real) Verdict() (classify.Verdict, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, known := r.verdict()
	return v, known && v.Outcome == classify.OutcomeOK && r.over && r.err == nil && !r.tells()
}

// Reached reports whether the upstream was reached.
func (r *Real) Reached() bool { return r.connected.Load() }

// isStream reports whether what came is an event stream. The lock is held.
func (r *Real) isStream() bool {
	text := bytes.TrimLeft(r.head, "\r\n \ufeff")
	for _, begin := range [...]string{"data:", "event:", "id:", "retry:", ":"} {
		if bytes.HasPrefix(text, []byte(begin)) {
			return true
		}
	}
	return false
}

// tells reports whether a good status has an error inside. The lock is held.
func (r *Real) tells() bool {
	if r.isStream() {
		return bytes.Contains(r.head, []byte(`data: {"error"`)) || bytes.Contains(r.tail, []byte(`data: {"error"`)) || bytes.Contains(r.tail, []byte("event: error"))
	}
	return r.size <= HeadMax && classify.IsErrorBody(r.head)
}

// Size is how many bytes of content came.
func (r *Real) Size() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size
}
