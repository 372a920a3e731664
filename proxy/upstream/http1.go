package upstream

import (
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"time"
)

// HTTP1Time is for how long an upstream is left at HTTP/1.1 once that worked where HTTP/2
// did not, and for how long HTTP/1.1 is not tried again where that did not work either.
const HTTP1Time = 10 * time.Minute

// How sure a failure makes that an upstream's HTTP/2 does not work.
const (
	HTTP2Doubt  = 1 // it may have been the upstream's application
	http2Broken = 2 // it was the protocol
	http2Given  = 4 // so much in a row: others try HTTP/1.1 as well, creates too
)

// http1Only knows whether an upstream is better spoken to in HTTP/1.1. Behind some load
// balancers HTTP/2 is broken for all that streams, while HTTP/1.1 works (CLIProxyAPI,
// golang/go#42777). The zero value knows of nothing. Safe for concurrent use.
type http1Only struct {
	mu      sync.Mutex
	doubt   int       // failures of HTTP/2 without an answer over it
	until   time.Time // HTTP/1.1 is spoken
	blocked time.Time // HTTP/1.1 is not tried, until then
}

// Wanted reports whether the next attempt should be made over HTTP/1.1.
func (h *http1Only) Wanted(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Before(h.until) || h.doubt >= http2Given && !now.Before(h.blocked)
}

// Broke takes in a failure of HTTP/2, and reports whether to try HTTP/1.1.
func (h *http1Only) Broke(now time.Time, doubt int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.doubt = min(h.doubt+doubt, http2Given)
	return !now.Before(h.blocked)
}

// Answered takes in an answer, and reports whether HTTP/1.1 is kept from now on.
func (h *http1Only) Answered(now time.Time, http1 bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !http1:
		h.doubt = 0
	case h.doubt >= http2Broken:
		h.until, h.doubt = now.Add(HTTP1Time), 0
		return true
	}
	return false
}

// Unreachable takes in that there was no connection for HTTP/1.1.
func (h *http1Only) Unreachable(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until, h.blocked = time.Time{}, now.Add(HTTP1Time)
}

// HTTP2Codes are the error codes of HTTP/2 that blame the protocol (RFC 9113, section 7).
// INTERNAL_ERROR is sent for a failed application as well. The others say no such thing:
// NO_ERROR, REFUSED_STREAM, CANCEL, CONNECT_ERROR, ENHANCE_YOUR_CALM.
var HTTP2Codes = map[string]int{
	"PROTOCOL_ERROR": http2Broken, "FLOW_CONTROL_ERROR": http2Broken, "SETTINGS_TIMEOUT": http2Broken,
	"STREAM_CLOSED": http2Broken, "FRAME_SIZE_ERROR": http2Broken, "COMPRESSION_ERROR": http2Broken,
	"INADEQUATE_SECURITY": http2Broken, "HTTP_1_1_REQUIRED": http2Broken,
	"INTERNAL_ERROR": HTTP2Doubt,
}

// HTTP2Code returns the error code of HTTP/2 that err tells of, "" for none. net/http
// flattens some of its errors into text; a test pins the words.
func HTTP2Code(err error) string {
	if err == nil {
		return ""
	}
	s := strings.TrimPrefix(err.Error(), "http2: Transport: cannot retry err [")
	if strings.Contains(s, "looked like an HTTP/1.1 header") { // not HTTP/2 at all
		return "PROTOCOL_ERROR"
	}
	for _, before := range [...]string{"stream error: stream ID ", "connection error: ", "http2: server sent GOAWAY and closed the connection; ", "http2: Transport received GOAWAY from server "} {
		rest, ok := strings.CutPrefix(s, before)
		if !ok {
			continue
		}
		for _, behind := range [...]string{"; ", "ErrCode=", "ErrCode:"} {
			if _, code, ok := strings.Cut(rest, behind); ok {
				rest = code
				break
			}
		}
		if end := strings.IndexFunc(rest, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' }); end >= 0 {
			rest = rest[:end]
		}
		return rest
	}
	return ""
}

// SpeaksHTTP2 reports whether that was agreed on for c.
func SpeaksHTTP2(c net.Conn) bool {
	secure, ok := c.(*tls.Conn)
	return ok && secure.ConnectionState().NegotiatedProtocol == "h2"
}
