package response

import (
	"errors"
	"io"

	"outrigger/proxy/eventstream"
)

// Opening returns what was held when the waiting ended, and whether that is all
// of the answer: nil says that it is not, io.EOF that it is, any other error
// that it broke off.
func (h *Hold) Opening() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held, h.err
}

// Busy reports whether the goroutine may still be reading.
func (h *Hold) Busy() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reading
}

// Complete reports whether all of the answer is held.
func (h *Hold) Complete() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.reading && errors.Is(h.err, io.EOF)
}

// Drained reports whether all that was held has been read.
func (h *Hold) Drained() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.reading && h.position >= len(h.held)
}

// Ready reports whether the next Read yields held bytes, or the known end, at once.
func (h *Hold) Ready() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position < len(h.held) || !h.reading && h.err != nil
}

// Failure returns the first meaningful event if it is an error, once the goroutine
// no longer feeds w.
func (h *Hold) Failure(w *eventstream.Watcher) (eventstream.Event, bool) {
	if h.Busy() {
		return eventstream.Event{}, false
	}
	first, meaningful := w.Meaningful()
	failure, failed := w.Error()
	return failure, meaningful && failed && failure.End == first.End
}
