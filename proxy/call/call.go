package call

import (
	"net/url"
	"time"

	"outrigger/policy/endpoint"
	"outrigger/proxy/body"
)

// Call is what a caller wants. It is filled in while the request is read and does not
// change afterwards, so that all who serve it may share it.
type Call struct {
	ID          string
	Method      string
	Path        string
	Query       string // as it came
	Agent       string // the caller's User-Agent
	CallerLabel string // names the caller in the log; "" if it has no name
	Start       time.Time
	Hears1xx    bool // the client accepts informational responses that it did not ask for
	Upgrade     bool // a WebSocket is asked for

	Page   string   // the browser origin, if the call comes from a page that may call
	Target string   // the host and port that the caller meant; "" is this listener
	Asked  *url.URL // the original URL there, if target is not ""
	Below  string   // the API path under Outrigger's own base URL, escaped; "" if it is beside the API
	Meant  bool     // the caller named the upstream

	Identity identity
	Endpoint endpoint.Endpoint
	body.Body
}

// IsCreate reports whether doing the request twice creates twice.
func (c *Call) IsCreate() bool { return c.Endpoint.Effect == endpoint.Create }

// ImagesAsked counts the images that an image endpoint was asked for.
func (c *Call) ImagesAsked() int {
	if c.Endpoint.Dialect != endpoint.Images {
		return 0
	}
	return max(c.Facts.N, 1)
}
