package body

import (
	"net/http"
	"net/textproto"
	"strings"
	"sync/atomic"
	"time"
)

// Awake tells a caller that has sent its body, and bears only so much silence, that its
// bytes still move upstream: it would be waiting for its own upload if it sent that there
// itself. An upload that took 10 s ended in the timeout of a client whose read timeout was 6 s.
//
// It is told by 102 (Processing, RFC 2518, section 10.1), and only if it is known to bear
// that: SDKs for Python read with httpx or aiohttp, whose read timeouts begin anew with each
// informational answer. Others take one for the answer (http.client, OkHttp up to 4.9).
type Awake struct {
	Every time.Duration
	Told  atomic.Int64 // when it was last told, after start, or its last byte came
	Start time.Time
	Hint  func(code int, header textproto.MIMEHeader) error // ReverseProxy's, which knows when it is too late
}

// AwakeShare is how often it is told: in less than the margin that is kept back of the
// silence that it bears (policy.PatienceOf), so that it hears of a failure in time.
const AwakeShare = 20

// Hears1xx reports whether the caller bears informational answers that it did not ask for.
func Hears1xx(r *http.Request) bool {
	if !r.ProtoAtLeast(1, 1) {
		return false
	}
	if r.Header.Get("X-Stainless-Lang") == "python" {
		return r.Header.Get("X-Stainless-Read-Timeout") != ""
	}
	agent := r.Header.Get("User-Agent")
	return strings.HasPrefix(agent, "python-httpx") || strings.Contains(agent, "aiohttp/")
}

// HttpxTimeout is httpx' read timeout where the app sets none (httpx/_config.py,
// DEFAULT_TIMEOUT_CONFIG).
const HttpxTimeout = 5 * time.Second

// moved says that bytes of the body have moved. There need be nobody to be told.
func (k *Awake) moved(now time.Time) {
	if k == nil {
		return
	}
	at, before := int64(now.Sub(k.Start)), k.Told.Load()
	if time.Duration(at-before) >= k.Every && k.Told.CompareAndSwap(before, at) {
		_ = k.Hint(http.StatusProcessing, nil)
	}
}
