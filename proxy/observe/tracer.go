package observe

import (
	"net/http"
	"time"

	"outrigger/proxy/call"
)

// Tracer is a Recorder that gives each request its place in a distributed trace. A request
// that nobody traces has none: callers of these methods see to it that there is one.
type Tracer interface {
	Recorder
	// Enter begins the trace of a call, or joins the one that its caller's headers name.
	// Done of the same call ends it.
	Enter(c *call.Call, caller http.Header)
	// Send begins the span of an attempt, unless it has begun, and returns the headers to
	// send in the place of h, which stay as they are.
	Send(c *call.Call, s Sending, h http.Header) http.Header
	// Hold keeps the trace of a call open that goes on when its caller leaves, until
	// Release, which is told what became of it.
	Hold(id string)
	Release(id string, r *call.Result)
}

// Sending is an attempt that is about to be sent.
type Sending struct {
	Number   int // 1 is the first of the request
	Start    time.Time
	Lane     string // name of the upstream
	Provider string // of its preset; "" is unknown
	Scheme   string
	Host     string // with the port, if the URL has one
	Model    string // as it is sent
}
