package proxy

import (
	"io"
	"net/http"
	"time"
)

// restGrace is how long the rest of a request's body is taken in once its caller has
// been answered.
const restGrace = time.Second

// smallRest is how much of a body net/http reads by itself before it answers, so that
// the connection can be used again (net/http server.go, maxPostHandlerReadBytes).
const smallRest = 256 << 10

// turnDown answers a request whose body was not read to its end.
func (x *exchange) turnDown(w http.ResponseWriter, r *http.Request, err error) {
	if r.Body == nil || r.Body == http.NoBody {
		x.fail(w, err)
		return
	}
	// A caller that asked whether to send has not sent yet, and a short rest may come
	// before the answer: then the connection stays.
	short := 0 <= r.ContentLength && r.ContentLength <= smallRest
	if r.ProtoMajor != 1 || short || r.Header.Get("Expect") != "" {
		boundRest(w)
		x.fail(w, err)
		return
	}
	x.closes = true // and so net/http does not read before it answers
	x.fail(w, err)
	takeRest(w, r)
}

// boundRest sets a deadline for what was not read of a body, for net/http would wait
// for a caller that sends no more.
func boundRest(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(restGrace))
}

// takeRest sends the answer and reads on for a while, for nothing: a connection that is
// closed with bytes unread is reset, and many clients read no answer before they have
// sent all (RFC 9112, section 9.6).
func takeRest(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).Flush()
	boundRest(w)
	_, _ = io.Copy(io.Discard, r.Body)
}
