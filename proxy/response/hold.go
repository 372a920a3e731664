package response

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// Bounds of what is read of an answer before it is committed.
const (
	// HoldAnswer is how much of a JSON answer, or of a stream's opening, is held.
	HoldAnswer = 1 << 20
	// HoldError is how much of an error's body is held. Cloudflare's pages, the
	// largest that were seen, have several KiB.
	HoldError = 64 << 10
	// HoldInline is how long a JSON answer of announced length may be to be read
	// without a goroutine and without a bound in time but the request's own: it is
	// one packet or a few behind its headers, and a part of it is of no use to anyone.
	HoldInline = 16 << 10
	// HoldTime is how long a JSON answer or an error's body may take to arrive
	// whole. DeepSeek sends white space for minutes: such an answer streams.
	HoldTime = 5 * time.Second
	// HoldStream is how long a stream's opening is held, from its first byte.
	HoldStream = 2 * time.Second
)

// Hold reads the beginning of an answer so that the waiting for it can be given up
// without losing a byte. As a reader it yields all of the answer: what was held, then
// the rest. Not safe for concurrent use.
//
// The first Read is the caller's own and mostly the only one. A goroutine makes the
// others, if it was not enough.
type Hold struct {
	src    io.ReadCloser
	max    int
	enough func(chunk []byte, err error) bool // called with each chunk

	room Room

	Panicked func(any) // is told of a panic of the goroutine

	mu       sync.Mutex
	held     []byte
	err      error         // of src, once it ended
	settled  bool          // enough, src's end or max was reached
	release  bool          // the goroutine is to end after its present Read
	reading  bool          // the goroutine may still be in src.Read
	changed  chan struct{} // has something whenever settled or reading changed
	position int
	reserved int64 // of room
	closed   bool
}

// Room is the memory that all requests share (OUTRIGGER_MEMORY_MAX). Where it
// ends nothing more is held: the answer is passed on as it is.
type Room interface {
	Reserve(n int64) bool
	Free(n int64)
}

// NewHold returns a hold of src, which Wait reads. enough decides on each chunk whether
// the answer can be judged; nil waits for its end.
func NewHold(src io.ReadCloser, room Room, most int, enough func([]byte, error) bool) *Hold {
	return &Hold{src: src, room: room, max: most, enough: enough, reading: true}
}

// reader is told how the reading of an answer goes.
type reader interface {
	// Begun says that the first byte is here.
	Begun()
	// Silent ends an answer in which nothing came for too long.
	Silent()
}

// ReadHold reads a short answer of a known length to its end. r is told of a silence of idle in it.
func ReadHold(resp *http.Response, r reader, idle time.Duration) *Hold {
	h := &Hold{src: resp.Body, held: make([]byte, 0, resp.ContentLength+1), settled: true}
	var timer *time.Timer
	for {
		n, err := h.src.Read(h.held[len(h.held):cap(h.held)])
		h.held, h.err = h.held[:len(h.held)+n], err
		r.Begun()
		switch {
		case err != nil:
			return h
		case idle <= 0:
		case timer == nil: // rarely: one read is enough as a rule
			timer = time.AfterFunc(idle, r.Silent)
			defer timer.Stop()
		default:
			timer.Reset(idle)
		}
	}
}

// run reads until take says that it is enough.
func (h *Hold) run() {
	buf := Buffers.Get()
	defer Buffers.Put(buf)
	defer func() {
		if v := recover(); v != nil {
			h.fail(v)
		}
	}()
	for !h.read(*buf) {
	}
}

// fail ends the answer as one that broke off, since what reads it panicked.
func (h *Hold) fail(panicked any) {
	if h.Panicked != nil {
		h.Panicked(panicked)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err, h.settled, h.reading = io.ErrUnexpectedEOF, true, false
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// read makes one Read of src, and reports whether it is to be the last.
func (h *Hold) read(buf []byte) bool {
	n, err := h.src.Read(buf)
	return h.take(buf[:n], err)
}

// take keeps a chunk and reports whether it is to be the last.
func (h *Hold) take(chunk []byte, err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held, h.err = append(h.held, chunk...), err
	full := h.closed || !h.room.Reserve(int64(len(chunk)))
	if !full {
		h.reserved += int64(len(chunk))
	}
	h.settled = err != nil || full || len(h.held) >= h.max || h.enough != nil && h.enough(chunk, err)
	h.reading = !h.settled && !h.release
	select {
	case h.changed <- struct{}{}:
	default: // it has something
	}
	return !h.reading
}

// Wait returns when enough was read, src ended, or the time has passed since its
// first byte that begun, called then, returns. What happens before the first byte is
// bounded by the context of the request that src is the answer to.
func (h *Hold) Wait(begun func() time.Duration) {
	buf := Buffers.Get()
	over := h.read(*buf)
	Buffers.Put(buf)
	within := begun()
	if over {
		return
	}
	h.changed = make(chan struct{}, 1)
	go h.run()
	timer := time.NewTimer(within)
	defer timer.Stop()
	h.await(func() bool { return h.settled }, timer.C)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.release = true
}

// await returns when a condition on the fields holds, or timeout fires.
func (h *Hold) await(condition func() bool, timeout <-chan time.Time) {
	for !h.is(condition) {
		select {
		case <-h.changed:
		case <-timeout:
			return
		}
	}
}

func (h *Hold) is(condition func() bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return condition()
}

// Read yields the held bytes and then those of src.
func (h *Hold) Read(p []byte) (int, error) {
	if h.is(func() bool { return h.position == len(h.held) && h.reading }) {
		h.await(func() bool { return !h.reading }, nil) // its last Read may bring more
	}
	h.mu.Lock()
	if h.position < len(h.held) {
		n := copy(p, h.held[h.position:])
		h.position += n
		err := error(nil)
		if h.position == len(h.held) && !h.reading {
			h.held, h.position, err = nil, 0, h.err
			h.free()
		}
		h.mu.Unlock()
		return n, err
	}
	err := h.err
	h.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return h.src.Read(p)
}

// Close closes src. It is safe to call while the goroutine reads.
func (h *Hold) Close() error {
	h.mu.Lock()
	h.closed = true
	h.free()
	h.mu.Unlock()
	return h.src.Close()
}

// free gives back the memory that was reserved. Locked.
func (h *Hold) free() {
	if h.reserved > 0 {
		h.room.Free(h.reserved)
		h.reserved = 0
	}
}
