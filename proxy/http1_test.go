package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"outrigger/proxy/settings"
)

// Codes of HTTP/2 that h2conn_test.go does not need (RFC 9113, section 7).
const (
	codeFlowControl  = 0x3
	codeFrameSize    = 0x6
	codeCompression  = 0x9
	codeConnect      = 0xa
	codeHTTPRequired = 0xd
)

const plainAnswer = `{"object":"chat.completion","choices":[]}`

func goodOverHTTP1(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, plainAnswer)
}

// resetsAfter resets each stream, after headers if it is told some.
func resetsAfter(code uint32, head ...string) func(*h2Wire, uint32, int) {
	return func(w *h2Wire, stream uint32, _ int) {
		if len(head) > 0 {
			_ = w.headers(stream, 0, head...)
		}
		_ = w.reset(stream, code)
	}
}

func TestHTTP2_ProtocolErrorBeforeContentIsRepeatedOverHTTP1(t *testing.T) {
	garbage := func(w *h2Wire, _ uint32, _ int) { _, _ = io.WriteString(w, "HTTP/1.1 400 Bad Request\r\n\r\n") }
	goAway := func(w *h2Wire, stream uint32, _ int) {
		_ = w.goAway(stream, codeProtocol)
		_ = w.ReadWriter.(io.Closer).Close()
	}
	type want struct {
		calls, later int64 // upstream calls for the first request, and for the second
		create       int   // the status of a create, and its calls
		creates      int64
	}
	usual, doubted := want{2, 1, 424, 1}, want{2, 2, 424, 1}
	for name, tt := range map[string]struct {
		script func(*h2Wire, uint32, int)
		want
	}{
		"PROTOCOL_ERROR":           {resetsAfter(codeProtocol), usual},
		"FLOW_CONTROL_ERROR":       {resetsAfter(codeFlowControl), usual},
		"FRAME_SIZE_ERROR":         {resetsAfter(codeFrameSize), usual},
		"COMPRESSION_ERROR":        {resetsAfter(codeCompression), usual},
		"HTTP_1_1_REQUIRED":        {resetsAfter(codeHTTPRequired), want{2, 1, 200, 2}},
		"INTERNAL_ERROR":           {resetsAfter(codeInternal), doubted},
		"a GOAWAY that blames it":  {goAway, usual},
		"no HTTP/2 at all":         {garbage, usual},
		"headers without a status": {func(w *h2Wire, s uint32, _ int) { _ = w.headers(s, 0, "x-a: b") }, usual},
		"after the headers":        {resetsAfter(codeProtocol, ":status: 200", "content-type: text/event-stream"), usual},
		"after a JSON's headers":   {resetsAfter(codeProtocol, ":status: 200", "content-type: application/json"), usual},
	} {
		t.Run(name, func(t *testing.T) {
			g, u := newH2Upstream(t, false, tt.script, func(c *settings.Config) { c.Limit.Learn = false })
			u.http1 = goodOverHTTP1
			for i, calls := range []int64{tt.calls, tt.later} {
				before := u.begun.Load()
				resp, body := g.chat()
				if resp.StatusCode != http.StatusOK || body != plainAnswer || u.begun.Load()-before != calls {
					t.Errorf("call %d: got %d %q after %d calls, want %d", i+1, resp.StatusCode, body, u.begun.Load()-before, calls)
				}
			}
			if told := strings.Contains(g.log.String(), "HTTP/2 fails"); !told {
				t.Error("the log does not say so")
			}
			if u.first.Load() != 2 {
				t.Errorf("%d calls over HTTP/1.1, want 2", u.first.Load())
			}
		})
		t.Run(name+"/create", func(t *testing.T) {
			g, u := newH2Upstream(t, false, tt.script, func(c *settings.Config) { c.Limit.Learn = false })
			u.http1 = goodOverHTTP1
			g.works()
			resp, body := g.do(g.request(http.MethodPost, "/v1/files", chatBody))
			if resp.StatusCode != tt.create || u.begun.Load() != tt.creates {
				t.Errorf("got %d %q after %d calls, want %d after %d", resp.StatusCode, body, u.begun.Load(), tt.create, tt.creates)
			}
		})
	}
}

func TestHTTP2_RequestsWithoutBodyAreRepeatedOverHTTP1Too(t *testing.T) {
	g, u := newH2Upstream(t, false, resetsAfter(codeProtocol), func(c *settings.Config) { c.Limit.Learn = false })
	u.http1 = goodOverHTTP1
	resp, body := g.do(g.request(http.MethodGet, "/v1/models", ""))
	if resp.StatusCode != http.StatusOK || body != plainAnswer || u.begun.Load() != 2 {
		t.Errorf("got %d %q after %d calls", resp.StatusCode, body, u.begun.Load())
	}
}

func TestHTTP2_OtherResetsStayThere(t *testing.T) {
	for name, code := range map[string]uint32{
		"NO_ERROR": codeNone, "REFUSED_STREAM": codeRefused, "CANCEL": codeCancel, "CONNECT_ERROR": codeConnect, "ENHANCE_YOUR_CALM": codeCalm,
	} {
		t.Run(name, func(t *testing.T) {
			g, u := newH2Upstream(t, false, func(w *h2Wire, stream uint32, request int) {
				if request < 3 {
					_ = w.reset(stream, code)
					return
				}
				_ = w.headers(stream, 0, ":status: 200", "content-type: application/json")
				_ = w.write(h2Frame{frameData, flagEndStream, stream, []byte(plainAnswer)})
			})
			if resp, body := g.chat(); resp.StatusCode != http.StatusOK || body != plainAnswer || u.begun.Load() != 3 || u.first.Load() != 0 {
				t.Errorf("got %d %q after %d calls, %d of them over HTTP/1.1", resp.StatusCode, body, u.begun.Load(), u.first.Load())
			}
		})
	}
}

func TestHTTP2_ResetBehindContentIsNotRepeated(t *testing.T) {
	g, u := newH2Upstream(t, false, func(w *h2Wire, stream uint32, _ int) {
		_ = w.headers(stream, 0, ":status: 200", "content-type: text/event-stream")
		_ = w.write(h2Frame{frameData, 0, stream, []byte(delta("a"))})
		_ = w.reset(stream, codeProtocol)
	})
	_, body, err := g.stream(g.client, "/v1/chat/completions")
	if !strings.HasPrefix(body, delta("a")) || !strings.Contains(body, "stream_interrupted") || err == nil || u.begun.Load() != 1 {
		t.Errorf("got %q %v after %d calls", body, err, u.begun.Load())
	}
}

func TestHTTP2_UpstreamWithoutHTTP1IsAskedOverHTTP2Again(t *testing.T) {
	g, u := newH2Upstream(t, false, func(w *h2Wire, stream uint32, request int) {
		if request%2 == 1 {
			_ = w.reset(stream, codeProtocol)
			return
		}
		_ = w.headers(stream, 0, ":status: 200", "content-type: application/json")
		_ = w.write(h2Frame{frameData, flagEndStream, stream, []byte(plainAnswer)})
	})
	u.server.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, "h2") {
			return nil, nil
		}
		return nil, errors.New("HTTP/2 only")
	}
	for i, attempts := range []string{"3", "2"} { // it is tried once
		resp, body := g.chat()
		if resp.StatusCode != http.StatusOK || body != plainAnswer || resp.Header.Get("X-Outrigger-Attempts") != attempts {
			t.Errorf("call %d: got %d %q after %s attempts, want %s", i+1, resp.StatusCode, body, resp.Header.Get("X-Outrigger-Attempts"), attempts)
		}
	}
}

func TestHTTP2_OffSpeaksHTTP1Only(t *testing.T) {
	g, u := newH2Upstream(t, false, resetsAfter(codeProtocol), func(c *settings.Config) { c.Upstreams[0].HTTP2 = settings.HTTP2Off })
	u.http1 = goodOverHTTP1
	for _, path := range []string{"/v1/chat/completions", "/v1/files"} {
		if resp, body := g.do(g.request(http.MethodPost, path, chatBody)); resp.StatusCode != http.StatusOK || body != plainAnswer {
			t.Errorf("%s: got %d %q", path, resp.StatusCode, body)
		}
	}
	if u.begun.Load() != 2 || u.first.Load() != 2 {
		t.Errorf("%d calls, %d over HTTP/1.1", u.begun.Load(), u.first.Load())
	}
}
