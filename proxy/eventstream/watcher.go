package eventstream

import (
	"bytes"
	"math/bits"

	"outrigger/policy/endpoint"
	"outrigger/proxy/usage"
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
	unseen     bool   // by clients
	broke      bool   // the answer off: it was not whole, and no event of its dialect's ends it so
	aborted    string // the reason to end that did, if nothing else tells of it
	total      total
}

// total is what all events together say.
type total struct {
	events   int64
	sequence int64 // the last sequence_number + 1, 0 before the first
	usage    usage.Counts
	seen     choices
	finished choices
	claimed  choices // whose last chunk with anything in it had a finish_reason
	beyond   bool
	answer   bool // there was more than thoughts
	stopped  bool // it has a stop_reason, and nothing came behind it
	told     int64
	end      bool // an event that ends the answer
	ends     int  // how many of those
	last     bool // and nothing follows it
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
	w.broke, w.aborted = false, ""
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
// there was one: an error, a delta, an end. Pings, events without data, and those that
// only say that work has begun are none: an answer that breaks off behind them can be
// asked for again, and nobody sees it.
// Its Data is valid until Reset.
func (w *Watcher) Meaningful() (Event, bool) { return w.first, w.hasFirst }

// Error returns the first event that tells of a failure, in any shape, and whether
// there was one. It may come after content and may be the one that Meaningful
// returns. Its Data is valid until Reset.
func (w *Watcher) Error() (Event, bool) { return w.failure, w.hasFailure }

// Unseen tells whether the event that Error returns broke off the answer in a shape
// that clients of the dialect take for no error: Gemini's list, vLLM's flat object, the
// bare object that is documented for Assistants, the flat one that is for Responses, a
// finish_reason that names a failure.
// openai-python and openai-node raise for a truthy "error" at the top, openai-go for any.
// Clients of Google's own API look for an error between the events only.
func (w *Watcher) Unseen() bool { return w.unseen }

// Broke tells whether the event that Error returns broke off an answer that was not
// whole. A response.failed does not, nor what comes before one: it is an end, and all its
// readers know it.
func (w *Watcher) Broke() bool { return w.broke }

// Aborted returns the reason to end that is all that tells of the failure, such as vLLM's
// "abort", or nothing.
func (w *Watcher) Aborted() string { return w.aborted }

// Done tells whether the answer is whole in the stream's dialect: an event that
// ends it was seen, or [DONE], or every choice that was seen has its finish_reason, or
// the message its stop_reason. By the last two it may turn false again, when another
// choice begins or content follows. In an unknown dialect only [DONE] says so.
func (w *Watcher) Done() bool {
	t := &w.total
	switch {
	case t.end:
		return true
	case byChoice(w.dialect):
		return !t.beyond && t.seen != choices{} && t.seen == t.finished
	default:
		return t.stopped && w.dialect == endpoint.Messages
	}
}

// Settled tells whether the answer is whole, so that what only keeps its stream open need
// not be waited out. A finish_reason in front of all content does not tell that.
func (w *Watcher) Settled() bool {
	return w.Done() && (w.total.end || w.total.answer || !byChoice(w.dialect))
}

// Told counts the events that say something new. A ping, an empty chunk and one that
// repeats the usage do not.
func (w *Watcher) Told() int64 { return w.total.told }

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

// Sequence returns the last sequence_number, or -1 if there was none.
func (w *Watcher) Sequence() int64 { return w.total.sequence - 1 }

// Events returns how many events have been seen. Comments are none.
func (w *Watcher) Events() int64 { return w.total.events }

// Usage returns the last token counts that went by, the prompt's and the completion's,
// 0 where there were none; see package usage.
func (w *Watcher) Usage() (int64, int64) {
	return w.total.usage.Prompt(), w.total.usage.Completion()
}

// Pending tells whether the stream stands inside a line or an event.
func (w *Watcher) Pending() bool { return w.line.begun() || w.data.any() }
