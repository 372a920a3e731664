package proxy

import (
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"time"
)

// awake tells a caller that has sent its body, and bears only so much silence, that its
// bytes still move upstream: it would be waiting for its own upload if it sent that there
// itself. An upload that took 10 s ended in the timeout of a client whose read timeout was 6 s.
//
// It is told by 102 (Processing, RFC 2518, section 10.1), and only if it is known to bear
// that: SDKs for Python read with httpx or aiohttp, whose read timeouts begin anew with each
// informational answer. Others take one for the answer (http.client, OkHttp up to 4.9).
type awake struct {
	every time.Duration
	told  atomic.Int64 // when it was last told, after start, or its last byte came
	start time.Time
	hint  func(code int, header textproto.MIMEHeader) error // ReverseProxy's, which knows when it is too late
}

// awakeShare is how often it is told: in less than the margin that is kept back of the
// silence that it bears (policy.PatienceOf), so that it hears of a failure in time.
const awakeShare = 20

// keepsAwake makes the caller be told, if it is such a one. Out is what ReverseProxy made of its request.
func (x *Run) keepsAwake(out *http.Request) {
	if !x.hears1xx || x.size <= oneWrite || x.once != nil {
		return
	}
	trace := httptrace.ContextClientTrace(out.Context())
	if trace == nil || trace.Got1xxResponse == nil {
		return
	}
	bears := httpxTimeout
	if x.patience.Idle > 0 { // it says so
		bears = x.patience.Silence
	}
	x.awake = &awake{every: bears / awakeShare, start: x.start, hint: trace.Got1xxResponse}
	x.awake.told.Store(x.motion.last.Load())
}

// hears1xx reports whether the caller bears informational answers that it did not ask for.
func hears1xx(r *http.Request) bool {
	if !r.ProtoAtLeast(1, 1) {
		return false
	}
	if r.Header.Get("X-Stainless-Lang") == "python" {
		return r.Header.Get("X-Stainless-Read-Timeout") != ""
	}
	agent := r.Header.Get("User-Agent")
	return strings.HasPrefix(agent, "python-httpx") || strings.Contains(agent, "aiohttp/")
}

// httpxTimeout is httpx' read timeout where the app sets none (httpx/_config.py,
// DEFAULT_TIMEOUT_CONFIG).
const httpxTimeout = 5 * time.Second

// moved says that bytes of the body have moved. There need be nobody to be told.
func (k *awake) moved(now time.Time) {
	if k == nil {
		return
	}
	at, before := int64(now.Sub(k.start)), k.told.Load()
	if time.Duration(at-before) >= k.every && k.told.CompareAndSwap(before, at) {
		_ = k.hint(http.StatusProcessing, nil)
	}
}
