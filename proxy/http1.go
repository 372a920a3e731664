package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"outrigger/policy/classify"
)

// HTTP2Mode says whether an upstream is spoken to in HTTP/2. The zero value means HTTP2Auto.
type HTTP2Mode string

// The modes.
const (
	// HTTP2Auto speaks it where the upstream offers it and it works.
	HTTP2Auto HTTP2Mode = "auto"
	// HTTP2Off speaks HTTP/1.1 only.
	HTTP2Off HTTP2Mode = "off"
)

// http1Time is for how long an upstream is left at HTTP/1.1 once that worked where HTTP/2
// did not, and for how long HTTP/1.1 is not tried again where that did not work either.
const http1Time = 10 * time.Minute

// How sure a failure makes that an upstream's HTTP/2 does not work.
const (
	http2Doubt  = 1 // it may have been the upstream's application
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

// wanted reports whether the next attempt should be made over HTTP/1.1.
func (h *http1Only) wanted(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Before(h.until) || h.doubt >= http2Given && !now.Before(h.blocked)
}

// broke takes in a failure of HTTP/2, and reports whether to try HTTP/1.1.
func (h *http1Only) broke(now time.Time, doubt int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.doubt = min(h.doubt+doubt, http2Given)
	return !now.Before(h.blocked)
}

// answered takes in an answer, and reports whether HTTP/1.1 is kept from now on.
func (h *http1Only) answered(now time.Time, http1 bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !http1:
		h.doubt = 0
	case h.doubt >= http2Broken:
		h.until, h.doubt = now.Add(http1Time), 0
		return true
	}
	return false
}

// unreachable takes in that there was no connection for HTTP/1.1.
func (h *http1Only) unreachable(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until, h.blocked = time.Time{}, now.Add(http1Time)
}

// http2Codes are the error codes of HTTP/2 that blame the protocol (RFC 9113, section 7).
// INTERNAL_ERROR is sent for a failed application as well. The others say no such thing:
// NO_ERROR, REFUSED_STREAM, CANCEL, CONNECT_ERROR, ENHANCE_YOUR_CALM.
var http2Codes = map[string]int{
	"PROTOCOL_ERROR": http2Broken, "FLOW_CONTROL_ERROR": http2Broken, "SETTINGS_TIMEOUT": http2Broken,
	"STREAM_CLOSED": http2Broken, "FRAME_SIZE_ERROR": http2Broken, "COMPRESSION_ERROR": http2Broken,
	"INADEQUATE_SECURITY": http2Broken, "HTTP_1_1_REQUIRED": http2Broken,
	"INTERNAL_ERROR": http2Doubt,
}

// http2Code returns the error code of HTTP/2 that err tells of, "" for none. net/http
// flattens some of its errors into text; a test pins the words.
func http2Code(err error) string {
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

// http2Failure says how far a's failure makes its HTTP/2 doubtful, before any of the
// answer was passed on.
func (a *attempt) http2Failure() int {
	switch {
	case a.http1, a.failure == classify.None, a.failure == classify.TooLarge:
		return 0
	case errors.Is(context.Cause(a.ctx), errReplayed):
		// net/http sends what has no body again on PROTOCOL_ERROR too, and does not say so.
		if a.progress.replayedHTTP2.Load() {
			return http2Doubt
		}
		return 0
	}
	return http2Codes[http2Code(a.err)]
}

// speaksHTTP2 reports whether that was agreed on for c.
func speaksHTTP2(c net.Conn) bool {
	secure, ok := c.(*tls.Conn)
	return ok && secure.ConnectionState().NegotiatedProtocol == "h2"
}
