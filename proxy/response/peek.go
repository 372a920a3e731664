package response

import "outrigger/proxy/eventstream"

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
