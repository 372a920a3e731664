package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"outrigger/proxy/settings"
)

// BenchmarkIdempotency is one request with its answer in memory, through the whole
// handler but without sockets towards the caller. Compare in the same run: what a
// request without a key pays for the step is none - before, what one with a new key
// pays is first - none, and a replay stands for itself.
func BenchmarkIdempotency(b *testing.B) {
	answer := []byte(`{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`)
	paths := map[string]struct {
		key    func(i int) string
		rejoin bool
		before bool // as if there were no such step
	}{
		"path:before": {func(int) string { return "" }, false, true},
		"path:none":   {func(int) string { return "" }, false, false},
		"path:first":  {func(i int) string { return "key-" + strconv.Itoa(i) }, false, false},
		"path:replay": {func(int) string { return "key" }, false, false},
		"path:rejoin": {func(int) string { return "" }, true, false},
	}
	for name, path := range paths {
		b.Run(name, func(b *testing.B) {
			g := newRig(b, fine, func(c *settings.Config) {
				c.Limit.Learn = false // its ramp would pace the first thousands
				if path.rejoin {
					c.Rejoin = time.Second
				}
			})
			instant := roundTripper(func(r *http.Request) (*http.Response, error) {
				_, _ = io.Copy(io.Discard, r.Body)
				return &http.Response{
					StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(answer)),
					Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(answer))),
				}, nil
			})
			for _, u := range g.proxy.gen().Upstreams {
				u.Pooled = instant
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(chatBody))
				r.Host = "127.0.0.1"
				r.Header["Authorization"] = []string{"Bearer sk-test"}
				r.Header["Content-Type"] = []string{"application/json"}
				if key := path.key(i); key != "" {
					r.Header["Idempotency-Key"] = []string{key}
				}
				w := httptest.NewRecorder()
				if path.before {
					serveWithoutTheStep(g.proxy, w, r)
				} else {
					g.proxy.ServeHTTP(w, r)
				}
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body.String())
				}
			}
		})
	}
}

// serveWithoutTheStep is ServeHTTP without what this step added to it.
func serveWithoutTheStep(p *Proxy, w http.ResponseWriter, r *http.Request) {
	x, r := p.open(w, r)
	defer p.observe(x)
	if err := p.gen().callers.Admit(r, p.gen().targetOf(r)); err != nil {
		panic(err)
	}
	if err := x.route(r); err != nil {
		panic(err)
	}
	if err := x.readBody(w, r); err != nil {
		panic(err)
	}
	x.identify(r)
	p.relay.ServeHTTP(w, r)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
