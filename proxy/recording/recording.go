package recording

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// ErrUnread ends the writing of an answer that is not kept and that nobody reads.
var ErrUnread = errors.New("nobody reads the answer, and it is not kept")

// Room is the memory that all requests share (OUTRIGGER_MEMORY_MAX).
type Room interface {
	Reserve(n int64) bool
	Free(n int64)
}

// Recording is one answer, written as to an http.ResponseWriter by one goroutine, and
// read by many through Reader. Make it with New. Its methods are safe for concurrent
// use, but for those of http.ResponseWriter, which are the one writer's.
type Recording struct {
	room   Room
	max    int64
	header http.Header // the writer's, until it is sent

	mu       sync.Mutex
	status   int
	sent     http.Header // as it was when the status was written
	announce int64       // Content-Length, -1 when there is none
	body     []byte      // from base on; what is in it is never changed
	base     int64
	open     int64 // how far readers may read; less than is written while it is withheld
	withheld bool
	lossy    bool // nothing is kept any more
	ended    bool
	whole    bool
	readers  map[*Reader]struct{}
	kept     bool          // Close has not been called
	reserved int64         // of room
	changed  chan struct{} // closed at a change that somebody waits for; nil when nobody does
}

// firstBytes is the size of the first piece of memory for an answer of unknown length.
const firstBytes = 4 << 10

// New returns a Recording that keeps an answer of at most largest bytes, in memory
// that is taken from room.
func New(room Room, largest int64) *Recording {
	return &Recording{
		room: room, max: largest, header: http.Header{}, announce: -1,
		readers: map[*Reader]struct{}{}, kept: true,
	}
}

// Header implements http.ResponseWriter.
func (r *Recording) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter. An informational answer is dropped: it
// is about the wait of one caller. Trailers are not recorded.
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

// Write implements http.ResponseWriter. It waits only while nothing is kept, for the
// readers to read; its only error is ErrUnread.
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
		return r.hand(p)
	}
	r.body = append(r.body, p...)
	if end := r.base + int64(len(r.body)); !r.withheld && end != r.announce {
		r.open = end
		r.wake()
	}
	return len(p), nil
}

// FlushError is for http.ResponseController: readers are shown all there is anyway.
func (r *Recording) FlushError() error { return nil }

// SetWriteDeadline is for http.ResponseController: no caller slows this writer down.
func (r *Recording) SetWriteDeadline(time.Time) error { return nil }

// Withhold keeps what is written from now on from readers, until End: it is the
// answer's last part. It has no effect on an answer that is not kept.
func (r *Recording) Withhold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.withheld = true
}

// End ends the answer: whole, or broken off.
func (r *Recording) End(whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.whole = true, whole
	r.open = r.base + int64(len(r.body))
	r.wake()
	r.settle()
}

// Status returns the answer's status, 0 while there is none.
func (r *Recording) Status() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Answer returns status, header and body, and whether all that was written so far is
// kept. Nothing of it may be changed.
func (r *Recording) Answer() (int, http.Header, []byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status, r.sent, r.body, !r.lossy
}

// Close says that nobody will begin to read any more. The memory is given back when
// the answer has ended and the last reader has gone.
func (r *Recording) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = false
	r.settle()
}

// keep makes room for p, and reports whether it is kept. Locked.
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

// settle gives the memory back when nobody needs it. Locked.
func (r *Recording) settle() {
	if r.kept || !r.ended || len(r.readers) > 0 || r.reserved == 0 {
		return
	}
	r.room.Free(r.reserved)
	r.reserved = 0
}

// wake wakes all that wait for a change. Locked.
func (r *Recording) wake() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// change returns what is closed at the next change. Locked.
func (r *Recording) change() chan struct{} {
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}
