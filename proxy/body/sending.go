package body

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// OneWrite is how long a body may be to be sent as one piece: net/http puts a
// body that it knows to be in memory behind the headers in one write, and gives any other
// a write and a copying buffer besides (transfer.go, isKnownInMemoryReader). Its
// memory is its own, because the transport may still read it when the request is over.
const OneWrite = 16 << 10

// Sending is a request's body on its way to an upstream in one attempt. The transport
// asks for the next piece when the connection has taken the one before, so the time from
// one piece to the next is time in which bytes move. One goroutine reads it; the rest is
// safe for concurrent use.
type Sending struct {
	io.ReadCloser
	Left   int64 // bytes not yet handed out; below 0 where that is not known
	Began  time.Time
	Awake  *Awake  // nil when nobody is to be told
	Motion *Motion // the request's; nil if the body's bytes are the caller's that come now

	First atomic.Int64 // when the first byte moved, after began; 0 before it did
	Moved atomic.Int64 // when the last one did
	whole atomic.Bool  // the transport has had the last byte
	Over  *atomic.Bool // the attempt has ended
}

// Read implements io.Reader.
func (s *Sending) Read(p []byte) (int, error) {
	s.Touch()
	n, err := s.ReadCloser.Read(p)
	if s.Left -= int64(n); s.Left == 0 || errors.Is(err, io.EOF) {
		s.whole.Store(true)
	}
	return n, err
}

// Touch says that the connection has taken all that was read.
func (s *Sending) Touch() {
	now := max(time.Since(s.Began), 1)
	before := s.Moved.Swap(int64(now))
	switch {
	case before == 0:
		s.First.Store(int64(now))
	case s.Motion != nil && !s.Over.Load():
		s.Motion.went(now - time.Duration(before))
		s.Awake.moved(s.Began.Add(now))
	}
}

// Unfinished reports whether the upstream surely has only a part of the body. There need
// be no body that was watched.
func (s *Sending) Unfinished() bool { return s != nil && !s.whole.Load() }
