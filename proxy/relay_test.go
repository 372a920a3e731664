package proxy

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// arrival is a request as an upstream got it.
type arrival struct {
	method, target, host, body string
	header                     http.Header
	chunked                    bool
	length                     int64
	trailer                    http.Header
}

// catching returns a rig with an upstream that keeps what it gets and answers 200.
func catching(t *testing.T, edits ...func(*settings.Config)) (*rig, chan arrival) {
	t.Helper()
	got := make(chan arrival, 100)
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == goodPath {
			_, _ = io.WriteString(w, "good")
			return
		}
		body, _ := io.ReadAll(r.Body)
		got <- arrival{
			r.Method, r.RequestURI, r.Host, string(body), r.Header.Clone(),
			slices.Contains(r.TransferEncoding, "chunked"), r.ContentLength, r.Trailer,
		}
		_, _ = io.WriteString(w, "{}")
	}, append([]func(*settings.Config){func(c *settings.Config) { c.Limit.Learn = false }}, edits...)...)
	return g, got
}

func TestTheRequestTargetArrivesAsItWasSent(t *testing.T) {
	g, got := catching(t)
	for _, target := range []string{
		"/v1/models", "/v1/models/", "/", "/v1/models?", "/v1/models?a=1;b=2", "/v1/models?a=%zz", "/v1/models?%", "/v1/models?a+b=c+d",
		"/v1/models?q=%C3%A9", "/v1/models?q=\u00e9", "/v1/models?a=b?c&&=&x", "/v1/models?a=%2f%2F", "/v1/a%2Fb", "/v1/a%2fb", "/v1//models",
		"//v1/models", "//evil.example/v1/models", "/v1/./x", "/v1/a%20b", "/v1/a%3Fb?c", "/v1/a+b", "/v1/a;b=c",
		"/v1/a:b@c", "/v1/@nobody", "/v1/%40", "/" + strings.Repeat("long/", 2000), "/v1/models?" + strings.Repeat("long=1&", 2000),
		"/v1/%C3%A9", "/v1/%e2%82%ac", "/v1/a%25b",
	} {
		resp, _ := g.raw("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%.80q got %d", target, resp.StatusCode)
			continue
		}
		if a := <-got; a.target != target {
			t.Errorf("%.80q arrived as %.80q", target, a.target)
		}
	}
}

func TestThePrefixOfAnUpstreamIsTakenOffThePath(t *testing.T) {
	g, got := catching(t, func(c *settings.Config) { c.Upstreams[0].URL.Path = "/base/" })
	for target, want := range map[string]string{
		"/v1/models":               "/base/v1/models",
		"/@openai/v1/models":       "/base/v1/models",
		"/@openai/v1/models?a;b":   "/base/v1/models?a;b",
		"/@openai/":                "/base/",
		"/@openai/v1/a%2Fb":        "/base/v1/a%2Fb",
		"/%40openai/v1/a%2Fb":      "/base/v1/a%2Fb",
		"/@openai/@openai/v1/a":    "/base/@openai/v1/a",
		"http://localhost/v1/b%2F": "/base/v1/b%2F",
	} {
		resp, body := g.raw("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%q got %d %s", target, resp.StatusCode, body)
			continue
		}
		if a := <-got; a.target != want {
			t.Errorf("%q arrived as %q, want %q", target, a.target, want)
		}
	}
	for _, target := range []string{"/@openai", "/@OpenAI/v1", "/@/v1", "/@open%61i2/v1"} {
		if resp, _ := g.raw("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%q got %d, want 400", target, resp.StatusCode)
		}
	}
}

func TestRequestHeadersArriveAsTheyWereSent(t *testing.T) {
	g, got := catching(t)
	long := strings.Repeat("x", 60<<10)
	lines := []string{
		"Host: localhost:1", "X-Dup: a", "X-Dup: b", "X-Dup: a", "X-Empty:", "X-Long: " + long, "X-Obs-Text: caf\xe9", "x_under: 1", "X-Comma: a, b",
		"X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 203.0.113.2", "X-Forwarded-Proto: gopher", "X-Forwarded-Host: h", "Forwarded: for=a",
		"Via: 1.1 somebody", "X-Real-Ip: 203.0.113.3", "Cookie: a=b", "Cookie: c=d", "Authorization: Bearer sk-test", "Date: never", "Te: trailers",
		"Referer:", "Accept: */*", "Range: bytes=0-1", "If-None-Match: \"x\"", "OpenAI-Organization: org", "Cache-Control: no-cache", "Early-Data: 1",
		// Hop-by-hop, and Outrigger's own: not passed on.
		"Connection: close, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eA==", "X-Outrigger-Token: t",
	}
	g.raw("GET /v1/models HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n")
	a := <-got
	want := http.Header{
		"X-Dup": {"a", "b", "a"}, "X-Empty": {""}, "X-Long": {long}, "X-Obs-Text": {"caf\xe9"}, "X_under": {"1"}, "X-Comma": {"a, b"},
		"X-Forwarded-For": {"203.0.113.1", "203.0.113.2"}, "X-Forwarded-Proto": {"gopher"}, "X-Forwarded-Host": {"h"}, "Forwarded": {"for=a"},
		"Via": {"1.1 somebody"}, "X-Real-Ip": {"203.0.113.3"}, "Cookie": {"a=b", "c=d"}, "Authorization": {"Bearer sk-test"}, "Date": {"never"}, "Te": {"trailers"},
		"Referer": {""}, "Accept": {"*/*"}, "Range": {"bytes=0-1"}, "If-None-Match": {`"x"`}, "Openai-Organization": {"org"}, "Cache-Control": {"no-cache"}, "Early-Data": {"1"},
	}
	compareHeaders(t, a.header, want)
	if want := strings.TrimPrefix(g.upstream.URL, "http://"); a.host != want {
		t.Errorf("host %q, want the upstream's %q", a.host, want)
	}
}

// compareHeaders reports each name that differs.
func compareHeaders(t *testing.T, got, want http.Header) {
	t.Helper()
	for name := range want {
		if !reflect.DeepEqual(got[name], want[name]) {
			t.Errorf("%s: %.100q, want %.100q", name, got[name], want[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %.100q was not sent", name, got[name])
		}
	}
}

func TestNothingIsAddedToABareRequest(t *testing.T) {
	g, got := catching(t)
	g.raw("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	compareHeaders(t, (<-got).header, http.Header{})
	g.raw("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
	a := <-got
	a.header.Del("Idempotency-Key") // Outrigger's, as the contract says
	compareHeaders(t, a.header, http.Header{"Content-Length": {"2"}})
}

func TestEveryMethodAndBodyArrives(t *testing.T) {
	g, got := catching(t)
	tests := map[string]struct {
		request      string
		method, body string
		length       int64
	}{
		"PUT":                       {"PUT /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "PUT", "abc", 3},
		"PATCH":                     {"PATCH /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "PATCH", "abc", 3},
		"DELETE without a body":     {"DELETE /v1/files/f HTTP/1.1\r\nHost: localhost\r\n\r\n", "DELETE", "", 0},
		"DELETE with a body":        {"DELETE /v1/files/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "DELETE", "abc", 3},
		"GET with a body":           {"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "GET", "abc", 3},
		"a method of one's own":     {"BREW /v1/pot HTTP/1.1\r\nHost: localhost\r\n\r\n", "BREW", "", 0},
		"OPTIONS":                   {"OPTIONS /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", "OPTIONS", "", 0},
		"an empty POST":             {"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "POST", "", 0},
		"a POST without any length": {"POST /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST", "", 0},
		"chunks":                    {"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "POST", "abcde", 5},
		"no chunks":                 {"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST", "", 0},
		"chunks with trailers":      {"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", "POST", "abc", 3},
		"broken JSON":               {"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n{\"mo\xff{", "POST", "{\"mo\xff{", 6},
		"bytes that are no text":    {"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n\x00\xff\r\n", "POST", "\x00\xff\r\n", 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			conn := g.dial()
			_, _ = io.WriteString(conn, tt.request)
			if resp, body := g.readAnswer(bufio.NewReader(conn), tt.method); resp.StatusCode != http.StatusOK {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
			a := <-got
			if a.method != tt.method || a.body != tt.body || a.length != tt.length || a.chunked || len(a.trailer) != 0 {
				t.Errorf("arrived as %+v", a)
			}
			if tt.method == "POST" && a.header.Get("Content-Length") != strconv.FormatInt(tt.length, 10) {
				t.Errorf("Content-Length %q, want %d", a.header.Get("Content-Length"), tt.length)
			}
		})
	}
}

func TestACallerThatWaitsForContinueIsAsked(t *testing.T) {
	g, got := catching(t)
	conn := g.dial()
	_, _ = io.WriteString(conn, "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
	r := bufio.NewReader(conn)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		if line, err := r.ReadString('\n'); err != nil || line != want {
			t.Fatalf("got %q %v, want %q", line, err, want)
		}
	}
	_, _ = io.WriteString(conn, "abc")
	if resp, _ := g.readAnswer(r, http.MethodPost); resp.StatusCode != http.StatusOK {
		t.Fatalf("got %d", resp.StatusCode)
	}
	if a := <-got; a.body != "abc" || a.header["Expect"] != nil {
		t.Errorf("arrived as %+v", a)
	}
}

// served returns a rig whose upstream answers each request with these bytes.
func served(t *testing.T, answer string) *rig {
	t.Helper()
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool { c.say(answer); return false })
	return newRigAt(t, u.URL, func(c *settings.Config) { c.Retry.Max, c.Limit.Learn = 0, false })
}

// ownHeaders are what Outrigger adds to an answer of the upstream's.
func ownHeaders(resp *http.Response, more http.Header) http.Header {
	h := http.Header{
		"X-Outrigger-Attempts": {"1"}, "X-Outrigger-Source": {"upstream"}, "X-Outrigger-Upstream": {"openai"}, "X-Outrigger-Queue-Ms": {"0"},
		"X-Outrigger-Request-Id": resp.Header["X-Outrigger-Request-Id"],
	}
	for name, values := range more {
		h[name] = values
	}
	return h
}

func TestAnswersArriveAsTheyWereSent(t *testing.T) {
	long := strings.Repeat("y", 100<<10)
	packed := func() string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, `{"ok":true}`)
		_ = w.Close()
		return b.String()
	}()
	tests := map[string]struct {
		method string
		answer string
		status int
		header http.Header
		body   string
	}{
		"odd headers": {
			"GET", "HTTP/1.1 200 Fine\r\nX-Dup: a\r\nX-Dup: b\r\nX-Empty:\r\nX-Long: " + long + "\r\nX-Obs: caf\xe9\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n" +
				"Via: 1.1 edge\r\nServer: x\r\nDate: yesterday\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok",
			200,
			http.Header{
				"X-Dup": {"a", "b"}, "X-Empty": {""}, "X-Long": {long}, "X-Obs": {"caf\xe9"}, "Set-Cookie": {"a=1", "b=2"},
				"Via": {"1.1 edge"}, "Server": {"x"}, "Date": {"yesterday"}, "Content-Length": {"2"},
			},
			"ok",
		},
		"nothing is invented":          {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n%PDF-1", 200, http.Header{"Content-Length": {"6"}}, "%PDF-1"},
		"nor with chunks":              {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n%PDF-1\r\n0\r\n\r\n", 200, http.Header{}, "%PDF-1"},
		"an empty Content-Type":        {"GET", "HTTP/1.1 200 OK\r\nContent-Type:\r\nContent-Length: 2\r\n\r\nok", 200, http.Header{"Content-Type": {""}, "Content-Length": {"2"}}, "ok"},
		"ends with the connection":     {"GET", "HTTP/1.0 200 OK\r\n\r\nsome text", 200, http.Header{}, "some text"},
		"gzip stays gzip":              {"GET", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: " + strconv.Itoa(len(packed)) + "\r\n\r\n" + packed, 200, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}, "Content-Length": {strconv.Itoa(len(packed))}}, packed},
		"wrong gzip too":               {"GET", "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 400, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}, "Content-Length": {"3"}, "X-Should-Retry": {"false"}}, "abc"},
		"an unknown coding too":        {"GET", "HTTP/1.1 500 Bad\r\nContent-Encoding: rot13, x\r\nContent-Length: 3\r\n\r\nabc", 500, http.Header{"Content-Encoding": {"rot13, x"}, "Content-Length": {"3"}, "X-Should-Retry": {"false"}}, "abc"},
		"HEAD":                         {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nContent-Type: application/json\r\n\r\n", 200, http.Header{"Content-Length": {"1234"}, "Content-Type": {"application/json"}}, ""},
		"204":                          {"DELETE", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n", 204, http.Header{"X-A": {"1"}}, ""},
		"304":                          {"GET", "HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n", 304, http.Header{"Etag": {`"x"`}}, ""},
		"206":                          {"GET", "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nab", 206, http.Header{"Content-Range": {"bytes 0-1/9"}, "Content-Length": {"2"}}, "ab"},
		"a redirect":                   {"GET", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", 302, http.Header{"Location": {"http://169.254.169.254/"}, "Content-Length": {"0"}}, ""},
		"an empty JSON answer":         {"GET", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n", 200, http.Header{"Content-Type": {"application/json"}, "Content-Length": {"0"}}, ""},
		"JSON that is none":            {"POST", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n{nope}", 200, http.Header{"Content-Type": {"application/json"}, "Content-Length": {"6"}}, "{nope}"},
		"a type that cannot be parsed": {"GET", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; ;;=\r\nContent-Length: 2\r\n\r\nab", 200, http.Header{"Content-Type": {"text/event-stream; ;;="}, "Content-Length": {"2"}}, "ab"},
		"a status without a name":      {"GET", "HTTP/1.1 299\r\nContent-Length: 2\r\n\r\nab", 299, http.Header{"Content-Length": {"2"}}, "ab"},
		"a status beyond 599":          {"GET", "HTTP/1.1 799 What\r\nContent-Length: 2\r\n\r\nab", 799, http.Header{"Content-Length": {"2"}, "X-Should-Retry": {"false"}}, "ab"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := served(t, tt.answer)
			conn := g.dial()
			_, _ = io.WriteString(conn, tt.method+" /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
			resp, body := g.readAnswer(bufio.NewReader(conn), tt.method)
			if resp.StatusCode != tt.status || body != tt.body {
				t.Errorf("got %d %.100q, want %d %.100q", resp.StatusCode, body, tt.status, tt.body)
			}
			compareHeaders(t, resp.Header, ownHeaders(resp, tt.header))
		})
	}
}

func TestEveryStatusPasses(t *testing.T) {
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		code, _ := strconv.Atoi(r.URL.Path[1:])
		w.WriteHeader(code)
	}, func(c *settings.Config) {
		c.Retry.Max, c.Limit.Learn, c.Breaker.Consecutive, c.Breaker.Ratio = 0, false, 0, 0
	})
	for code := 200; code < 600; code++ {
		if code == 429 || code == 401 || code == 402 { // remembered or waited for: their own tests
			continue
		}
		resp, _ := g.do(g.request(http.MethodGet, fmt.Sprintf("/%d", code), ""))
		if resp.StatusCode != code {
			t.Errorf("%d arrived as %d %v", code, resp.StatusCode, resp.Header)
		}
	}
}

func TestInformationalAnswersPass(t *testing.T) {
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool {
		c.say("HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		return true
	})
	g := newRigAt(t, u.URL)
	conn := g.dial()
	_, _ = io.WriteString(conn, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	text := string(all)
	const early = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
	final, ok := strings.CutPrefix(text, early)
	if !ok || !strings.HasPrefix(final, "HTTP/1.1 200 OK\r\n") {
		t.Fatalf("got %q", text)
	}
	resp, body := g.readAnswer(bufio.NewReader(strings.NewReader(final)), http.MethodGet)
	if body != "ok" || resp.Header.Get("X-Outrigger-Attempts") != "1" || resp.Header["Link"] != nil || resp.Header["Content-Type"] != nil || resp.Header["Date"] != nil {
		t.Errorf("got %q with %v", body, resp.Header)
	}
}

func TestTrailersOfAnAnswerPass(t *testing.T) {
	for name, kind := range map[string]string{"held": "application/json", "not held": "audio/mpeg"} {
		t.Run(name, func(t *testing.T) {
			g := served(t, "HTTP/1.1 200 OK\r\nContent-Type: "+kind+"\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 42\r\nX-Late: 1\r\n\r\n")
			resp, body := g.do(g.request(http.MethodGet, "/v1/x", ""))
			if body != "{}" || resp.Trailer.Get("X-Sum") != "42" {
				t.Errorf("got %q with trailers %v", body, resp.Trailer)
			}
		})
	}
}

func TestLargeBodiesPassByteForByte(t *testing.T) {
	random := make([]byte, 3<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for _, kind := range []string{"application/octet-stream", "application/json", "text/event-stream"} {
		for _, size := range []int{1, 32 << 10, 1 << 20, 1<<20 + 1, len(random)} {
			t.Run(fmt.Sprintf("%s/%d", kind, size), func(t *testing.T) {
				g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					body, _ := io.ReadAll(r.Body)
					w.Header().Set("Content-Type", kind)
					_, _ = w.Write(body)
				})
				want := string(random[:size])
				if resp, body := g.do(g.request(http.MethodPost, "/v1/x", want)); resp.StatusCode != http.StatusOK || body != want {
					t.Errorf("got %d and %d bytes, want those %d that were sent", resp.StatusCode, len(body), size)
				}
				eventually(t, "the end", func() bool { return g.inflight() == 0 })
				if memory, disk := g.held(); memory != 0 || disk != 0 {
					t.Errorf("%d bytes of memory and %d of disk are still held", memory, disk)
				}
			})
		}
	}
}

func TestCallersMaySpeakHTTP2(t *testing.T) {
	g, got := catching(t)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, g.url+"/v1/chat/completions?a;b", strings.NewReader(chatBody))
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if a := <-got; resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK || a.body != chatBody || a.target != "/v1/chat/completions?a;b" {
		t.Errorf("got %v, arrived as %+v", resp, a)
	}
}

func TestTheUpstreamsOwnKeyReplacesTheCallers(t *testing.T) {
	for header, want := range map[string]http.Header{
		"Authorization": {"Authorization": {"Bearer sk-own"}, "X-Extra": {"1"}, "Openai-Organization": {"org"}},
		"api-key":       {"Api-Key": {"sk-own"}, "X-Extra": {"1"}, "Openai-Organization": {"org"}},
		"X-Gateway-Key": {"X-Gateway-Key": {"sk-own"}, "X-Extra": {"1"}, "Openai-Organization": {"org"}},
	} {
		t.Run(header, func(t *testing.T) {
			g, got := catching(t, func(c *settings.Config) {
				u := &c.Upstreams[0]
				u.APIKey, u.AuthHeader = values.NewSecret("sk-own"), header
				u.Headers, u.Query = []settings.Pair{{Name: "X-Extra", Value: "1"}}, []settings.Pair{{Name: "api-version", Value: "2024-10-21"}, {Name: "a b", Value: "c&d"}}
			})
			g.raw("GET /v1/models?x=1;y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer sk-callers\r\nApi-Key: callers\r\n" +
				"X-Api-Key: callers\r\nX-Gateway-Key: callers\r\nX-Extra: callers\r\nOpenAI-Organization: org\r\n\r\n")
			a := <-got
			if header != "X-Gateway-Key" {
				delete(a.header, "X-Gateway-Key") // a header like any other then
			}
			compareHeaders(t, a.header, want)
			if a.target != "/v1/models?x=1;y&api-version=2024-10-21&a+b=c%26d" {
				t.Errorf("the target is %s", a.target)
			}
		})
	}
}
