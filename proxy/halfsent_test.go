package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"outrigger/proxy/body"
	"outrigger/proxy/settings"
)

// drops reads share parts of eight of the request's body and closes the connection.
func drops(share int64) script {
	return func(_ http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength*share/8)
		panic(http.ErrAbortHandler)
	}
}

// Nobody carries out a part of a request: a create that was cut while its body was on the
// way is no doubtful one.
func TestACreateWhoseBodyWasNotSentWholeIsNotAmbiguous(t *testing.T) {
	small := `{"model":"m","input":"x"}`
	for name, tt := range map[string]struct {
		edit     func(*settings.Config)
		upstream script
		path     string
		body     string
		status   int
		code     string
		calls    int64
	}{
		"cut in the middle, then taken":   {nil, firstly(1, drops(4), fine), "/v1/files", long, 200, "", 2},
		"cut in the middle, always":       {nil, drops(4), "/v1/files", long, 502, "upstream_broke", 5},
		"cut at once":                     {nil, firstly(1, drops(0), fine), "/v1/batches", long, 200, "", 2},
		"a background response":           {nil, firstly(1, drops(4), fine), "/v1/responses", strings.Replace(long, "{", `{"background":true,`, 1), 200, "", 2},
		"without a retry":                 {func(c *settings.Config) { c.Retry.Max = 0 }, drops(4), "/v1/files", long, 502, "upstream_broke", 1},
		"past a full spool, it came once": {func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 1<<16, 0 }, drops(4), "/v1/files", long, 502, "upstream_broke", 1},
		"a compute call":                  {nil, firstly(1, drops(4), fine), "/v1/embeddings", long, 200, "", 2},

		"cut after all of it":            {nil, drops(8), "/v1/files", long, 424, "upstream_ambiguous", 1},
		"a small one, cut in the middle": {nil, drops(4), "/v1/files", small, 424, "upstream_ambiguous", 1},
		"first whole, then cut in it":    {nil, firstly(1, drops(8), drops(4)), "/v1/files", long, 424, "upstream_ambiguous", 1},
		"an early refusal": {nil, func(w http.ResponseWriter, r *http.Request, n int) {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<10)
			w.Header().Set("Connection", "close")
			answers413(w)
		}, "/v1/files", long, 413, "too_large", 1},
		"an early answer that is cut": {nil, func(w http.ResponseWriter, r *http.Request, n int) {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<10)
			w.Header().Set("Content-Length", "100")
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"id":`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "/v1/files", long, 424, "upstream_ambiguous", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, func(c *settings.Config) {
					c.Breaker.Consecutive, c.Breaker.Ratio = 1000, 1
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				resp, body := g.do(g.request("POST", tt.path, tt.body))
				code := ""
				if resp.StatusCode != 200 {
					code = errorCode(t, body)
				}
				if resp.StatusCode != tt.status || code != tt.code || g.calls.Load() != tt.calls {
					t.Errorf("got %d %s after %d calls, want %d %s after %d: %s", resp.StatusCode, code, g.calls.Load(), tt.status, tt.code, tt.calls, body)
				}
				if code == "upstream_broke" && !strings.Contains(body, "again is safe") {
					t.Errorf("it does not say what to do: %s", body)
				}
			})
		})
	}
}

// Over HTTP/2 the server resets the stream, or loses the connection: what the stream's
// window holds back is not sent.
func TestACreateWhoseStreamIsResetInItsBodyIsNotAmbiguous(t *testing.T) {
	medium := strings.Repeat("x", 2*body.OneWrite) // less than a window
	for name, tt := range map[string]struct {
		early  bool
		body   string
		status int
		calls  int64
	}{
		"in the body":  {true, long, 200, 2},
		"after all it": {false, medium, 424, 1},
	} {
		t.Run(name, func(t *testing.T) {
			g, u := newH2Upstream(t, tt.early, func(w *h2Wire, stream uint32, request int) {
				if request == 1 {
					_ = w.reset(stream, codeInternal)
					return
				}
				_ = w.headers(stream, 0, ":status: 200", "content-type: application/json")
				_ = w.write(h2Frame{frameData, flagEndStream, stream, []byte(`{"id":"file-1"}`)})
			})
			u.http1 = goodOverHTTP1 // a repeat may be made so
			resp, body := g.do(g.request(http.MethodPost, "/v1/files", tt.body))
			if resp.StatusCode != tt.status || u.begun.Load() != tt.calls {
				t.Errorf("got %d %s after %d calls", resp.StatusCode, body, u.begun.Load())
			}
		})
	}
}
