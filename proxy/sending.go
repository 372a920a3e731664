package proxy

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// sending is a request's body on its way to an upstream in one attempt. The transport
// asks for the next piece when the connection has taken the one before, so the time from
// one piece to the next is time in which bytes move. One goroutine reads it; the rest is
// safe for concurrent use.
type sending struct {
	io.ReadCloser
	left   int64 // bytes not yet handed out; below 0 where that is not known
	began  time.Time
	awake  *awake  // nil when nobody is to be told
	motion *motion // the request's; nil if the body's bytes are the caller's that come now

	first atomic.Int64 // when the first byte moved, after began; 0 before it did
	moved atomic.Int64 // when the last one did
	whole atomic.Bool  // the transport has had the last byte
	over  *atomic.Bool // the attempt has ended
}

// Read implements io.Reader.
func (s *sending) Read(p []byte) (int, error) {
	s.touch()
	n, err := s.ReadCloser.Read(p)
	if s.left -= int64(n); s.left == 0 || errors.Is(err, io.EOF) {
		s.whole.Store(true)
	}
	return n, err
}

// touch says that the connection has taken all that was read.
func (s *sending) touch() {
	now := max(time.Since(s.began), 1)
	before := s.moved.Swap(int64(now))
	switch {
	case before == 0:
		s.first.Store(int64(now))
	case s.motion != nil && !s.over.Load():
		s.motion.went(now - time.Duration(before))
		s.awake.moved(s.began.Add(now))
	}
}

// unfinished reports whether the upstream surely has only a part of the body. There need
// be no body that was watched.
func (s *sending) unfinished() bool { return s != nil && !s.whole.Load() }

// sends gives the attempt the request's body. Small ones are not watched: the system takes
// them at once, and net/http sends them best as they are.
func (x *Run) sends(a *attempt) (io.ReadCloser, int64) {
	body, size := x.outgoing(x.spliced)
	if body == nil || x.once == nil && 0 <= x.size && x.size <= oneWrite && x.body.InMemory() {
		return body, size
	}
	a.progress.sending = &sending{ReadCloser: body, left: size, began: a.started, motion: x.motion, awake: x.awake, over: &a.progress.over}
	if x.once != nil {
		a.progress.sending.motion = nil
	}
	return a.progress.sending, size
}
