package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Bounds of what is read of an answer before it is committed.
const (
	// holdAnswer is how much of a JSON answer, or of a stream's opening, is held.
	holdAnswer = 1 << 20
	// holdError is how much of an error's body is held. Cloudflare's pages, the
	// largest that were seen, have several KiB.
	holdError = 64 << 10
	// holdInline is how long a JSON answer of announced length may be to be read
	// without a goroutine and without a bound in time but the request's own: it is
	// one packet or a few behind its headers, and a part of it is of no use to anyone.
	holdInline = 16 << 10
	// holdTime is how long a JSON answer or an error's body may take to arrive
	// whole. DeepSeek sends white space for minutes: such an answer streams.
	holdTime = 5 * time.Second
	// holdStream is how long a stream's opening is held, from its first byte.
	holdStream = 2 * time.Second
)

// hold reads the beginning of an answer so that the waiting for it can be given up
// without losing a byte. As a reader it yields all of the answer: what was held, then
// the rest. Not safe for concurrent use.
//
// The first Read is the caller's own and mostly the only one. A goroutine makes the
// others, if it was not enough.
type hold struct {
	src    io.ReadCloser
	max    int
	enough func(chunk []byte, err error) bool // called with each chunk

	room room

	panicked func(any) // is told of a panic of the goroutine

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

// room is the memory that all requests share (OUTRIGGER_MEMORY_MAX). Where it
// ends nothing more is held: the answer is passed on as it is.
type room interface {
	Reserve(n int64) bool
	Free(n int64)
}

// newHold returns a hold of src, which wait reads. enough decides on each chunk whether
// the answer can be judged; nil waits for its end.
func newHold(src io.ReadCloser, room room, most int, enough func([]byte, error) bool) *hold {
	return &hold{src: src, room: room, max: most, enough: enough, reading: true}
}

// reader is told how the reading of an answer goes.
type reader interface {
	// begun says that the first byte is here.
	begun()
	// silent ends an answer in which nothing came for too long.
	silent()
}

// readHold reads a short answer of a known length to its end. r is told of a silence of idle in it.
func readHold(resp *http.Response, r reader, idle time.Duration) *hold {
	h := &hold{src: resp.Body, held: make([]byte, 0, resp.ContentLength+1), settled: true}
	var timer *time.Timer
	for {
		n, err := h.src.Read(h.held[len(h.held):cap(h.held)])
		h.held, h.err = h.held[:len(h.held)+n], err
		r.begun()
		switch {
		case err != nil:
			return h
		case idle <= 0:
		case timer == nil: // rarely: one read is enough as a rule
			timer = time.AfterFunc(idle, r.silent)
			defer timer.Stop()
		default:
			timer.Reset(idle)
		}
	}
}

// run reads until take says that it is enough.
func (h *hold) run() {
	buf := buffers.get()
	defer buffers.put(buf)
	defer func() {
		if v := recover(); v != nil {
			h.fail(v)
		}
	}()
	for !h.read(*buf) {
	}
}

// fail ends the answer as one that broke off, since what reads it panicked.
func (h *hold) fail(panicked any) {
	if h.panicked != nil {
		h.panicked(panicked)
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
func (h *hold) read(buf []byte) bool {
	n, err := h.src.Read(buf)
	return h.take(buf[:n], err)
}

// take keeps a chunk and reports whether it is to be the last.
func (h *hold) take(chunk []byte, err error) bool {
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

// wait returns when enough was read, src ended, or the time has passed since its
// first byte that begun, called then, returns. What happens before the first byte is
// bounded by the context of the request that src is the answer to.
func (h *hold) wait(begun func() time.Duration) {
	buf := buffers.get()
	over := h.read(*buf)
	buffers.put(buf)
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
func (h *hold) await(condition func() bool, timeout <-chan time.Time) {
	for !h.is(condition) {
		select {
		case <-h.changed:
		case <-timeout:
			return
		}
	}
}

func (h *hold) is(condition func() bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return condition()
}

// opening returns what was held when the waiting ended, and whether that is all
// of the answer: nil says that it is not, io.EOF that it is, any other error
// that it broke off.
func (h *hold) opening() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held, h.err
}

// Read yields the held bytes and then those of src.
func (h *hold) Read(p []byte) (int, error) {
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
func (h *hold) Close() error {
	h.mu.Lock()
	h.closed = true
	h.free()
	h.mu.Unlock()
	return h.src.Close()
}

// free gives back the memory that was reserved. Locked.
func (h *hold) free() {
	if h.reserved > 0 {
		h.room.Free(h.reserved)
		h.reserved = 0
	}
}

// busy reports whether the goroutine may still be reading.
func (h *hold) busy() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reading
}

// complete reports whether all of the answer is held.
func (h *hold) complete() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.reading && errors.Is(h.err, io.EOF)
}

// drained reports whether all that was held has been read.
func (h *hold) drained() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.reading && h.position >= len(h.held)
}

// ready reports whether the next Read yields held bytes, or the known end, at once.
func (h *hold) ready() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position < len(h.held) || !h.reading && h.err != nil
}
