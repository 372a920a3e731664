package eventstream

import (
	"bytes"
	"math/bits"

	"outrigger/policy/endpoint"
)

// Bounds of what a Watcher keeps of an event, in bytes. Up to the first meaningful
// event all of an error body's 64 KiB may be wanted, to classify it; later only an
// error's fields are, for the log, and an open stream should stay small.
const (
	firstMax = 64 << 10
	laterMax = 8 << 10
)

// Watcher notes what passes in one event stream. Make it with New; it may be used
// again after Reset. It is not safe for concurrent use.
type Watcher struct {
	dialect endpoint.Dialect
	line    line
	data    data
	scan    scanner

	offset int64 // bytes seen before the present Write
	tail   [8]byte
	tailN  int

	first      Event
	hasFirst   bool
	failure    Event
	hasFailure bool
	unseen     bool // by clients
	total      total
}

// total is what all events together say.
type total struct {
	events     int64
	sequence   int64 // the last sequence_number + 1, 0 before the first
	prompt     int64
	completion int64
	seen       choices
	finished   choices
	beyond     bool
	end        bool // an event that ends the answer
	ends       int  // how many of those
	last       bool // and nothing follows it
}

// New returns a Watcher for a stream of dialect d that begins with the next Write.
func New(d endpoint.Dialect) *Watcher {
	w := &Watcher{}
	w.Reset(d)
	return w
}

// Reset forgets all and makes w ready for another stream. Events that w returned
// before are overwritten.
func (w *Watcher) Reset(d endpoint.Dialect) {
	w.dialect = d
	w.line = line{}
	w.data.reset()
	w.data.shrink()
	w.scan.reset()
	w.offset, w.tailN = 0, 0
	w.first, w.hasFirst = Event{Data: reuse(w.first.Data)}, false
	w.failure, w.hasFailure, w.unseen = Event{Data: reuse(w.failure.Data)}, false, false
	w.total = total{}
}

// reuse returns b without content, or nothing if it is too large to keep.
func reuse(b []byte) []byte {
	if cap(b) > laterMax {
		return nil
	}
	return b[:0]
}

// Write shows w the next bytes of the stream, in any split. It keeps none of p and
// always returns len(p), nil. Not to be called between End
// and Reset.
func (w *Watcher) Write(p []byte) (int, error) {
	lf, cr := -1, -1
	for i := w.skipMark(p); i < len(p); {
		if w.line.feed(p[i]) {
			i++
			continue
		}
		if lf < i {
			lf = find(p, i, '\n')
		}
		if cr < i {
			cr = find(p, i, '\r')
		}
		end := min(lf, cr)
		if end > i {
			w.part(p[i:end])
		}
		if end < len(p) {
			w.lineEnd(w.offset + int64(end) + 1)
			w.line.afterCR = end == cr
		}
		i = end + 1
	}
	w.offset += int64(len(p))
	w.remember(p)
	return len(p), nil
}

// find returns the index of c in p from i on, or len(p).
func find(p []byte, i int, c byte) int {
	at := bytes.IndexByte(p[i:], c)
	if at < 0 {
		return len(p)
	}
	return i + at
}

// remember keeps the stream's last bytes: they say whether it was cut inside a
// character or an escape.
func (w *Watcher) remember(p []byte) {
	if len(p) >= len(w.tail) {
		w.tailN = copy(w.tail[:], p[len(p)-len(w.tail):])
		return
	}
	keep := min(w.tailN, len(w.tail)-len(p))
	copy(w.tail[:], w.tail[w.tailN-keep:w.tailN])
	w.tailN = keep + copy(w.tail[keep:], p)
}

// Meaningful returns the first event that is more than a sign of life, and whether
// there was one: an error, a delta (one with only a role too), an end. Pings, events
// without data, and those that only say that work has begun are none.
// Its Data is valid until Reset.
func (w *Watcher) Meaningful() (Event, bool) { return w.first, w.hasFirst }

// Error returns the first event that tells of a failure, in any shape, and whether
// there was one. It may come after content and may be the one that Meaningful
// returns. Its Data is valid until Reset.
func (w *Watcher) Error() (Event, bool) { return w.failure, w.hasFailure }

// Unseen tells whether the event that Error returns broke off the answer in a shape
// that clients of the dialect take for no error: Gemini's list, vLLM's flat object, the
// bare object that is documented for Assistants. openai-python and openai-node raise for
// a truthy "error" at the top, openai-go for any. A failing finish_reason is seen.
func (w *Watcher) Unseen() bool { return w.unseen }

// Done tells whether the answer is whole in the stream's dialect: an event that
// ends it was seen, or [DONE], or every choice that was seen has its finish_reason.
// By the last of these it may turn false again, when another choice begins. In
// an unknown dialect only [DONE] says so.
func (w *Watcher) Done() bool {
	t := &w.total
	return t.end || byChoice(w.dialect) && !t.beyond && t.seen != choices{} && t.seen == t.finished
}

// Answers returns how many answers have ended of a request for several: choices with
// a finish_reason, or events that end an image each.
func (w *Watcher) Answers() int {
	n := 0
	for _, word := range w.total.finished {
		n += bits.OnesCount64(word)
	}
	return max(n, w.total.ends)
}

// Finished tells whether the very last event was seen, so that the body can be
// ended although the upstream has not ended it. Never in an unknown dialect, and not
// after an end that some upstreams let a [DONE] follow.
func (w *Watcher) Finished() bool { return w.total.last }

// Sequence returns the last sequence_number, or -1 if there was none. A next event
// has the one after it.
func (w *Watcher) Sequence() int64 { return w.total.sequence - 1 }

// Events returns how many events have been seen. Comments are none.
func (w *Watcher) Events() int64 { return w.total.events }

// Usage returns the last token counts that went by, the prompt's and the completion's,
// 0 where there were none. The prompt's include what was read from or written to a cache.
func (w *Watcher) Usage() (int64, int64) {
	return w.total.prompt, w.total.completion
}

// Pending tells whether the stream stands inside a line or an event.
func (w *Watcher) Pending() bool { return w.line.begun() || w.data.any() }
