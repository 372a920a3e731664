package proxy

import (
	"io"
	"net/url"
	"time"

	"outrigger/policy/endpoint"
	"outrigger/proxy/pick"
	"outrigger/proxy/spool"
)

// Call is what a caller wants. It is filled in while the request is read and does not
// change afterwards, so that all who serve it may share it.
type Call struct {
	id          string
	method      string
	path        string
	query       string // as it came
	agent       string // the caller's User-Agent
	callerLabel string // names the caller in the log; "" if it has no name
	start       time.Time
	hears1xx    bool // the client accepts informational responses that it did not ask for
	upgrade     bool // a WebSocket is asked for

	page   string   // the browser origin, if the call comes from a page that may call
	target string   // the host and port that the caller meant; "" is this listener
	asked  *url.URL // the original URL there, if target is not ""
	below  string   // the API path under Outrigger's own base URL, escaped; "" if it is beside the API
	meant  bool     // the caller named the upstream

	identity identity
	endpoint endpoint.Endpoint
	Body
}

// Body is the request's body: kept whole, or readable once when it could not be kept.
type Body struct {
	body    *spool.Body
	once    io.ReadCloser
	size    int64 // -1 when it is not known
	facts   pick.Facts
	encoded encoded
}

// replayable reports whether the body can be sent again.
func (b *Body) replayable() bool { return b.once == nil }

// isCreate reports whether doing the request twice creates twice.
func (c *Call) isCreate() bool { return c.endpoint.Effect == endpoint.Create }

// imagesAsked counts the images that an image endpoint was asked for.
func (c *Call) imagesAsked() int {
	if c.endpoint.Dialect != endpoint.Images {
		return 0
	}
	return max(c.facts.N, 1)
}
