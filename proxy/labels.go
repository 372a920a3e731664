package proxy

import (
	"mime"
	"net/http"
	"strings"

	"outrigger/policy/endpoint"
)

// The media types that are looked at.
const (
	typeEvents = "text/event-stream"
	typeJSON   = "application/json"
)

// labels are what the outside of an answer says of its content, and what the request lets
// expect. They may be wrong: they only say what to look for.
type labels struct {
	kind, encoding string
	dialect        endpoint.Dialect // of its events
	events         bool             // it may be an event stream, even if it is not labelled so
	asked          bool             // that is expected: it was asked for, or is labelled so
	owed           bool             // and nothing else is right: one that ends before it tells is one too
	whole          bool             // if it is none, all of it is wanted
}

// labels returns those of a's answer.
func (a *attempt) labels() labels {
	x := a.call
	h := a.resp.Header
	l := labels{kind: mediaType(h), encoding: h.Get("Content-Encoding"), dialect: x.endpoint.Dialect}
	owed := isSuccess(a.resp.StatusCode) && x.owesJSON()
	if !x.deliversFiles() {
		l.asked = l.kind == typeEvents || isSuccess(a.resp.StatusCode) && x.asksForStream()
	}
	// Text alone may be the answer of those who take no notice of what was asked for: a transcript.
	l.owed = l.kind == typeEvents || l.asked && (owed || mayBeText(l.kind) && !strings.HasPrefix(l.kind, "text/"))
	l.events = l.asked || owed || l.kind == typeJSON && isSuccess(a.resp.StatusCode) && !x.deliversFiles()
	l.whole = l.kind == typeJSON || owed && mayBeText(l.kind)
	return l
}

// mayBeText reports whether an answer of that media type can be JSON, events or a page. A
// type that is missing or malformed is "".
func mayBeText(kind string) bool {
	return !strings.Contains(kind, "/") || kind == "application/octet-stream" || strings.HasPrefix(kind, "text/") ||
		strings.Contains(kind, "json") || strings.Contains(kind, "html") || strings.Contains(kind, "xml")
}

// asksForStream reports whether the request asks for an event stream: in its body, or
// in its query (GET /responses/{id}?stream=true; Gemini's alt=sse).
func (x *Call) asksForStream() bool {
	if x.facts.Stream {
		return true
	}
	return strings.Contains(x.query, "stream=true") || strings.Contains(x.query, "alt=sse")
}

// owesJSON reports whether a good answer is JSON, or events in its place: of an
// endpoint that is known, and gives neither files nor sound nor text.
func (x *Call) owesJSON() bool {
	if x.deliversFiles() {
		return false
	}
	name := x.endpoint.Name
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

// deliversFiles reports whether the endpoint gives back what was stored there, in
// whatever form it was.
func (x *Call) deliversFiles() bool {
	name := x.endpoint.Name
	if strings.HasSuffix(name, ".content") || strings.HasSuffix(name, ".results") {
		return true
	}
	return x.endpoint.Effect == endpoint.Read && isContentPath(x.path)
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

// isAnybodys reports whether a good answer is content whose form nobody knows: no error is read out of it.
func (x *Call) isAnybodys() bool {
	return x.deliversFiles() || x.endpoint.Effect == endpoint.Read && x.endpoint.Name == "other"
}

// mediaType returns the Content-Type without its parameters.
func mediaType(h http.Header) string {
	value := h.Get("Content-Type")
	switch value {
	case typeJSON, typeEvents:
		return value
	}
	kind, _, err := mime.ParseMediaType(value)
	if err != nil {
		return ""
	}
	return kind
}
