package wire

import (
	"mime"
	"net/http"
	"strings"
)

// The media types that are looked at.
const (
	TypeEvents = "text/event-stream"
	TypeJSON   = "application/json"
)

// MayBeText reports whether an answer of that media type can be JSON, events or a page. A
// type that is missing or malformed is "".
func MayBeText(kind string) bool {
	return !strings.Contains(kind, "/") || kind == "application/octet-stream" || strings.HasPrefix(kind, "text/") ||
		strings.Contains(kind, "json") || strings.Contains(kind, "html") || strings.Contains(kind, "xml")
}

// MediaType returns the Content-Type without its parameters.
func MediaType(h http.Header) string {
	value := h.Get("Content-Type")
	switch value {
	case TypeJSON, TypeEvents:
		return value
	}
	kind, _, err := mime.ParseMediaType(value)
	if err != nil {
		return ""
	}
	return kind
}
