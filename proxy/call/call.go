package call

import (
	"net/url"
	"strings"
	"time"

	"outrigger/policy/endpoint"
	"outrigger/policy/priority"
	"outrigger/proxy/body"
)

// Call is what a caller wants. It is filled in while the request is read and does not
// change afterwards, so that all who serve it may share it.
type Call struct {
	ID          string // in the log and in x-outrigger-request-id
	Method      string
	Path        string
	Query       string // as it came
	Agent       string // the caller's User-Agent
	CallerLabel string // names the caller in the log; "" if nothing tells it from others
	CallerName  string // names the caller where names are bounded, as in metrics; "" if it has no name
	CallerKey   uint64 // tells callers apart who take turns in queues; 0: by what they pay with
	Priority    priority.Priority
	Start       time.Time
	Hears1xx    bool // the client accepts informational responses that it did not ask for
	Upgrade     bool // a WebSocket is asked for

	Page   string   // the browser origin, if the call comes from a page that may call
	Target string   // the host and port that the caller meant; "" is this listener
	Asked  *url.URL // the original URL there, if target is not ""
	Below  string   // the API path under Outrigger's own base URL, escaped; "" if it is beside the API
	Meant  bool     // the caller named the upstream

	Identity identity // tells it from other calls
	Endpoint endpoint.Endpoint
	body.Body
}

// IsCreate reports whether doing the request twice creates twice.
func (x *Call) IsCreate() bool { return x.Endpoint.Effect == endpoint.Create }

// ImagesAsked counts the images that an image endpoint was asked for.
func (x *Call) ImagesAsked() int {
	if x.Endpoint.Dialect != endpoint.Images {
		return 0
	}
	return max(x.Facts.N, 1)
}

// AsksForStream reports whether the request asks for an event stream: in its body, or
// in its query (GET /responses/{id}?stream=true; Gemini's alt=sse).
func (x *Call) AsksForStream() bool {
	if x.Facts.Stream {
		return true
	}
	return strings.Contains(x.Query, "stream=true") || strings.Contains(x.Query, "alt=sse")
}

// OwesJSON reports whether a good answer is JSON, or events in its place: of an
// endpoint that is known, and gives neither files nor sound nor text.
func (x *Call) OwesJSON() bool {
	if x.DeliversFiles() {
		return false
	}
	name := x.Endpoint.Name
	switch {
	case strings.HasPrefix(name, "audio."), strings.HasPrefix(name, "realtime"):
		return false
	}
	switch name {
	case "other", "live", "agents", "vaults", "organization", "projects":
		return false
	}
	return true
}

// DeliversFiles reports whether the endpoint gives back what was stored there, in
// whatever form it was.
func (x *Call) DeliversFiles() bool {
	name := x.Endpoint.Name
	if strings.HasSuffix(name, ".content") || strings.HasSuffix(name, ".results") {
		return true
	}
	return x.Endpoint.Effect == endpoint.Read && isContentPath(x.Path)
}

// isContentPath reports whether a path's last segment says that content is read, whatever API it is of.
func isContentPath(path string) bool {
	path = strings.TrimSuffix(path, "/")
	switch strings.ToLower(path[strings.LastIndexByte(path, '/')+1:]) {
	case "content", "contents", "results", "variants", "download", "audio", "image", "video", "thumbnail":
		return true
	}
	return false
}

// IsAnybodys reports whether a good answer is content whose form nobody knows: no error is read out of it.
func (x *Call) IsAnybodys() bool {
	return x.DeliversFiles() || x.Endpoint.Effect == endpoint.Read && x.Endpoint.Name == "other"
}
