package proxy

import (
	"net/http"
	"time"
)

// ExtendWrite moves the deadline for writing to the caller: one that takes nothing
// for longer than an upstream may be silent is gone. For half as long again, because
// over HTTP/2 the deadline ends a stream also while nothing is being written, and a
// silent upstream's end has to be told first. http.Server's WriteTimeout would cut
// every long stream instead. It is called after each read of the answer, and at
// last for what the server has still to write when the handler has returned; it does
// something only once a quarter of the time is used. net/http takes the deadline away
// before the connection's next request.
func (x *exchange) ExtendWrite() {
	idle := x.StreamIdle()
	if idle <= 0 {
		return
	}
	now := time.Now()
	if now.Sub(x.writeSet) < idle/4 {
		return
	}
	x.writeSet = now
	silent := idle
	if x.MayResume() {
		silent += idle // as a resume may take as long again
	}
	_ = http.NewResponseController(x.w).SetWriteDeadline(now.Add(silent + idle/2))
}
