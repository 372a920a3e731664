package page

import (
	"fmt"
	"net/http"
	"time"
)

// writeTimeout is how long a listener may take for one event.
const writeTimeout = 10 * time.Second

// serve answers /events: server-sent events, until the listener leaves.
func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	kind := w.Header()
	kind.Set("Content-Type", "text/event-stream; charset=utf-8")
	if r.Method == http.MethodHead {
		return
	}
	l := h.join()
	if l == nil {
		kind.Set("Retry-After", "10")
		http.Error(w, fmt.Sprintf("%d status pages are open already: close one", MaxListeners), http.StatusServiceUnavailable)
		return
	}
	defer h.leave(l)
	out := http.NewResponseController(w)
	_, _ = w.Write([]byte("retry: 2000\n\n"))
	if out.Flush() != nil {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case event := <-l.events:
			// The server's own timeout is for short answers. A writer that has none goes without.
			_ = out.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := w.Write(event); err != nil || out.Flush() != nil {
				return
			}
		}
	}
}
