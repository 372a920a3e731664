package proxy

import (
	"net/http"
	"time"
)

// extendWrite moves the deadline for writing to the caller: one that takes
// nothing for twice as long as an upstream may be silent is gone. Not for once as
// long: over HTTP/2 the deadline ends a stream also while nothing is being written.
// http.Server's WriteTimeout would cut every long stream instead. It is called after
// each read of the answer, and does something only once a quarter of the time is used.
func (x *exchange) extendWrite() {
	idle := x.p.config.Timeouts.StreamIdle
	if idle <= 0 {
		return
	}
	now := time.Now()
	if now.Sub(x.writeSet) < idle/4 {
		return
	}
	x.writeSet = now
	_ = http.NewResponseController(x.w).SetWriteDeadline(now.Add(2 * idle))
}

// clearDeadlines gives the connection back without deadlines for its next request.
func (x *exchange) clearDeadlines() {
	if !x.writeSet.IsZero() {
		_ = http.NewResponseController(x.w).SetWriteDeadline(time.Time{})
	}
}
