package body

import (
	"io"
	"strings"
	"sync"

	"outrigger/proxy/decode"
)

// Bounds of what a compressed body is decoded to for what it says. Work stays in proportion
// to what was sent, and beneath a fifth of a second for a small bomb: deflate makes up to
// 1,032 bytes of one. JSON shrinks to a fifth or a tenth; what shrinks further is short.
const (
	decodedLeast  = 64 << 20
	decodedFactor = 16
)

// DecodedMost returns how many bytes a compressed body of size bytes is decoded to at most.
func DecodedMost(size int64) int64 { return max(decodedLeast, size*decodedFactor) }

// Encoded is a request body that is compressed. It is passed on as it came, but for a model
// that is renamed: then it is sent decoded.
type Encoded struct {
	Codings []string // none if the body is read as it is
	Size    int64    // decoded; -1 if that is not known
	Unread  string   // why it could not be read; "" if it could
}

// inflating is a body that is decoded as it is sent. A transport may close it while another
// goroutine reads it, and a decoder that was given back is another request's.
type inflating struct {
	codings []string
	raw     io.ReadCloser
	size    int64 // of raw

	mu     sync.Mutex
	src    io.ReadCloser // nil before the first Read
	closed bool
}

// Read implements io.Reader.
func (i *inflating) Read(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return 0, io.ErrClosedPipe
	}
	if i.src == nil {
		src, _, err := decode.Open(strings.Join(i.codings, ","), i.raw, DecodedMost(i.size))
		if err != nil {
			return 0, err
		}
		i.src = src
	}
	return i.src.Read(p)
}

// Close implements io.Closer.
func (i *inflating) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	if i.src != nil {
		_ = i.src.Close()
		i.src = nil
	}
	return i.raw.Close()
}
