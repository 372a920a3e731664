package recording

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// ErrUnread ends the writing of an answer that is not buffered and that nobody reads.
var ErrUnread = errors.New("nobody reads the answer, and it is not kept")

// Room is the memory that all requests share (OUTRIGGER_MEMORY_MAX), in bytes.
type Room interface {
	Reserve(n int64) bool
	Free(n int64)
}

// Recording is one answer. One goroutine writes it, as to an http.ResponseWriter, and many read
// it through Reader. New makes it. Its methods are safe for concurrent use, except for those of
// http.ResponseWriter, which only the writer may call.
type Recording struct {
	room   Room
	max    int64
	header http.Header // the writer's, until the status is written

	mu       sync.Mutex
	status   int
	sent     http.Header // as it was when the status was written
	announce int64       // Content-Length, -1 when there is none
	body     []byte      // from offset base on; its content is never changed
	base     int64
	open     int64 // how far readers may read
	withheld bool
	lossy    bool // it does not buffer any more
	ended    bool
	whole    bool
	readers  map[*Reader]struct{}
	kept     bool          // Close has not been called
	reserved int64         // bytes of room
	changed  chan struct{} // closed at the next change; nil when nobody waits for it
}

// firstBytes is the first allocation for an answer of unknown length, in bytes.
const firstBytes = 4 << 10

// New returns a Recording that buffers an answer of at most largest bytes, in memory that is
// reserved from room.
func New(room Room, largest int64) *Recording {
	return &Recording{
		room: room, max: largest, header: http.Header{}, announce: -1,
		readers: map[*Reader]struct{}{}, kept: true,
	}
}

// Header implements http.ResponseWriter.
func (r *Recording) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter. An informational answer is dropped: it is about
// the wait of one caller. Trailers are not recorded.
func (r *Recording) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if status < http.StatusOK || r.status != 0 {
		return
	}
	r.status, r.sent = status, r.header.Clone()
	delete(r.sent, "Trailer")
	if n, err := strconv.ParseInt(r.sent.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		r.announce = n
		r.lossy = n > r.max
	}
}

// Write implements http.ResponseWriter. It waits for readers only when it does not buffer. Its
// only error is ErrUnread.
func (r *Recording) Write(p []byte) (int, error) {
	if r.Status() == 0 {
		r.WriteHeader(http.StatusOK)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.lossy && !r.keep(p) {
		r.lossy, r.open = true, int64(len(r.body))
		r.wake()
	}
	if r.lossy {
		return r.pass(p)
	}
	r.body = append(r.body, p...)
	if end := r.base + int64(len(r.body)); !r.withheld && end != r.announce {
		r.open = end
		r.wake()
	}
	return len(p), nil
}

// FlushError is for http.ResponseController: readers see everything at once anyway.
func (r *Recording) FlushError() error { return nil }

// SetWriteDeadline is for http.ResponseController: no caller slows this writer down.
func (r *Recording) SetWriteDeadline(time.Time) error { return nil }

// Withhold keeps what is written from now on from the readers until End: it is the answer's
// last part. It has no effect on an answer that is not buffered.
func (r *Recording) Withhold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.withheld = true
}

// End ends the answer: complete if whole, else broken off.
func (r *Recording) End(whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.whole = true, whole
	r.open = r.base + int64(len(r.body))
	r.wake()
	r.settle()
}

// Status returns the status of the answer, 0 while there is none.
func (r *Recording) Status() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Answer returns status, header and body, and whether everything written so far is buffered.
// Nothing of it may be changed.
func (r *Recording) Answer() (int, http.Header, []byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status, r.sent, r.body, !r.lossy
}

// Close says that nobody will start to read any more. The memory is freed when the answer has
// ended and the last reader has left.
func (r *Recording) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = false
	r.settle()
}

// keep makes room for p, and reports whether p can be buffered. It wants r.mu.
func (r *Recording) keep(p []byte) bool {
	need := int64(len(r.body)) + int64(len(p))
	if need > r.max {
		return false
	}
	have := int64(cap(r.body))
	if need <= have {
		return true
	}
	size := max(need, 2*have, firstBytes)
	if r.announce >= need {
		size = r.announce
	}
	size = min(size, max(r.max, need))
	if !r.room.Reserve(size - have) {
		return false
	}
	r.reserved += size - have
	grown := make([]byte, len(r.body), size)
	copy(grown, r.body)
	r.body = grown
	return true
}

// settle frees the memory when nobody needs it. It wants r.mu.
func (r *Recording) settle() {
	if r.kept || !r.ended || len(r.readers) > 0 || r.reserved == 0 {
		return
	}
	r.room.Free(r.reserved)
	r.reserved = 0
}

// wake wakes all that wait for a change. It wants r.mu.
func (r *Recording) wake() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// change returns the channel that is closed at the next change. It wants r.mu.
func (r *Recording) change() chan struct{} {
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}
