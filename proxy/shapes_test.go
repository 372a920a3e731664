package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/proxy/response"
	"outrigger/proxy/settings"
	proxywire "outrigger/proxy/wire"
)

// onEveryWire runs f with HTTP/1.1 and HTTP/2 on both sides of the proxy. The upstream's
// server is a real one; its handler also says which version it was called with.
func onEveryWire(t *testing.T, handler http.HandlerFunc, f func(t *testing.T, g *rig, client *http.Client), edits ...func(*settings.Config)) {
	t.Helper()
	edits = append([]func(*settings.Config){func(c *settings.Config) { c.Retry.Max, c.Limit.Learn = 0, false }}, edits...)
	for _, front := range []int{1, 2} {
		for _, back := range []int{1, 2} {
			t.Run(fmt.Sprintf("HTTP%d to HTTP%d", front, back), func(t *testing.T) {
				var g *rig
				checked := func(w http.ResponseWriter, r *http.Request, n int) {
					if r.URL.Path == goodPath {
						good(w, r, n)
						return
					}
					if r.ProtoMajor != back {
						t.Errorf("the upstream was called with %s", r.Proto)
					}
					handler(w, r)
				}
				if back == 1 {
					g = newRig(t, checked, edits...)
				} else {
					upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { checked(w, r, 1) }))
					upstream.EnableHTTP2 = true
					upstream.Config.ErrorLog = quietLog
					upstream.StartTLS()
					t.Cleanup(func() {
						upstream.CloseClientConnections()
						upstream.Close()
					})
					g = newRigAt(t, upstream.URL, edits...)
					roots := upstream.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
					for _, transport := range []http.RoundTripper{g.proxy.gen().Upstreams[0].Pooled, g.proxy.gen().Upstreams[0].Fresh} {
						transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
					}
				}
				client := g.client
				if front == 2 {
					client = g.h2()
				}
				client.Transport.(*http.Transport).ExpectContinueTimeout = patience
				f(t, g, client)
				eventually(t, "all to end", func() bool { return g.inflight() == 0 })
				g.works()
			})
		}
	}
}

// passedKinds are the ways in which an answer is passed on: held whole, watched, or left alone.
var passedKinds = map[string]string{
	"application/json":         `{"object":"list"}`,
	"text/event-stream":        delta("a") + doneEvent,
	"audio/mpeg":               strings.Repeat("\xff\xfb\x90", 30_000),
	"application/octet-stream": "x",
}

func TestTrailersPassOnEveryWire(t *testing.T) {
	for kind, body := range passedKinds {
		for name, trailers := range map[string]struct{ announced, late bool }{
			"announced": {true, false}, "not announced": {false, true}, "some announced": {true, true},
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				onEveryWire(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header().Set("Content-Type", kind)
					if trailers.announced {
						w.Header().Set("Trailer", "X-Sum")
					}
					_, _ = io.WriteString(w, body)
					_ = http.NewResponseController(w).Flush()
					if trailers.announced {
						w.Header().Set("X-Sum", "42")
					}
					if trailers.late {
						w.Header().Set(http.TrailerPrefix+"X-Late", "1")
					}
				}, func(t *testing.T, g *rig, client *http.Client) {
					resp, got, err := g.stream(client, "/v1/chat/completions")
					if err != nil || got != body {
						t.Fatalf("got %d bytes, want %d: %v", len(got), len(body), err)
					}
					want := http.Header{}
					if trailers.announced {
						want.Set("X-Sum", "42")
					}
					if trailers.late {
						want.Set("X-Late", "1")
					}
					if fmt.Sprint(resp.Trailer) != fmt.Sprint(want) {
						t.Errorf("trailers %v, want %v", resp.Trailer, want)
					}
				})
			})
		}
	}
}

func TestInformationalAnswersPassOnEveryWire(t *testing.T) {
	onEveryWire(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.WriteHeader(http.StatusProcessing)
		good(w, r, 1)
	}, func(t *testing.T, g *rig, client *http.Client) {
		var mu sync.Mutex
		var early []string
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			mu.Lock()
			defer mu.Unlock()
			early = append(early, fmt.Sprint(code, " ", h.Get("Link"), len(h)))
			return nil
		}})
		resp, err := client.Do(g.request(http.MethodPost, "/v1/x", "{}").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		mu.Lock()
		defer mu.Unlock()
		if want := "[103 </a>; rel=preload1 102 0]"; fmt.Sprint(early) != want || string(body) != "ok" || resp.Header["Link"] != nil || resp.Header.Get(proxywire.HeaderAttempts) != "1" {
			t.Errorf("got %v and %q with %v, want %s", early, body, resp.Header, want)
		}
	})
}

func TestContinueIsAskedForOnEveryWire(t *testing.T) {
	onEveryWire(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if r.Header["Expect"] != nil || len(body) != 100_000 || err != nil {
			t.Errorf("%d bytes arrived with %v: %v", len(body), r.Header, err)
		}
		_, _ = io.WriteString(w, "ok")
	}, func(t *testing.T, g *rig, client *http.Client) {
		asked := false
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { asked = true }})
		r := with(g.request(http.MethodPost, "/v1/files", strings.Repeat("x", 100_000)), "Expect: 100-continue").WithContext(ctx)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != 200 || !asked {
			t.Errorf("got %d, asked for the body: %t", resp.StatusCode, asked)
		}
		// A request that is refused by its headers is not asked for its body.
		asked = false
		r = with(g.request(http.MethodPost, "/v1/files", strings.Repeat("x", 100_000)), "Expect: 100-continue", "Origin: https://evil.example").WithContext(ctx)
		refused, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer refused.Body.Close()
		if refused.StatusCode != 403 || asked {
			t.Errorf("got %d, asked for the body: %t", refused.StatusCode, asked)
		}
	})
}

func TestAnswersWithoutABodyPassOnEveryWire(t *testing.T) {
	onEveryWire(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Query().Get("status"))
		w.Header().Set("Content-Type", r.URL.Query().Get("kind"))
		w.Header().Set("Etag", `"x"`)
		if length := r.URL.Query().Get("length"); length != "" {
			w.Header().Set("Content-Length", length)
		}
		w.WriteHeader(status)
	}, func(t *testing.T, g *rig, client *http.Client) {
		for _, tt := range []struct {
			method, status, length string
		}{{"HEAD", "200", "12"}, {"HEAD", "200", "12345678"}, {"HEAD", "404", "12"}, {"HEAD", "500", "12"}, {"GET", "204", ""}, {"DELETE", "204", ""}, {"GET", "304", ""}, {"POST", "200", "0"}} {
			for kind := range passedKinds {
				if kind == "text/event-stream" && tt.method == "POST" {
					continue // an empty stream is a failure: TestAStreamThatEndsBeforeItBeganIsRetried
				}
				path := "/v1/chat/completions"
				if tt.method == "POST" {
					path = "/v1/vector_stores" // an empty chat is a failure: TestAnEmptyAnswerToAComputeIsAFailure
				}
				resp, err := client.Do(g.request(tt.method, path+"?status="+tt.status+"&length="+tt.length+"&kind="+kind, ""))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if strconv.Itoa(resp.StatusCode) != tt.status || len(body) > 0 || err != nil || resp.Header.Get("Etag") != `"x"` ||
					resp.Header.Get("Content-Length") != tt.length || tt.status != "304" && resp.Header.Get("Content-Type") != kind { // net/http takes it out of a 304
					t.Errorf("%+v of %s: got %d with %d bytes, %v, and %v", tt, kind, resp.StatusCode, len(body), err, resp.Header)
				}
			}
		}
	})
}

func TestRangesPassOnEveryWire(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789"), 50_000)
	changed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[string]struct {
		headers []string
		status  int
		content string // Content-Range
		body    string
	}{
		"all":                  {nil, 200, "", string(file)},
		"the beginning":        {[]string{"Range: bytes=0-9"}, 206, "bytes 0-9/500000", "0123456789"},
		"the rest":             {[]string{"Range: bytes=499995-"}, 206, "bytes 499995-499999/500000", "56789"},
		"the end":              {[]string{"Range: bytes=-3"}, 206, "bytes 499997-499999/500000", "789"},
		"most":                 {[]string{"Range: bytes=10-"}, 206, "bytes 10-499999/500000", string(file[10:])},
		"beyond":               {[]string{"Range: bytes=600000-"}, 416, "bytes */500000", "invalid range: failed to overlap\n"},
		"if unchanged, and is": {[]string{"Range: bytes=0-1", `If-Range: "v1"`}, 206, "bytes 0-1/500000", "01"},
		"if unchanged, is not": {[]string{"Range: bytes=0-1", `If-Range: "v0"`}, 200, "", string(file)},
		"not again":            {[]string{`If-None-Match: "v1"`}, 304, "", ""},
	}
	onEveryWire(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v1"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", changed, bytes.NewReader(file))
	}, func(t *testing.T, g *rig, client *http.Client) {
		for name, tt := range tests {
			resp, err := client.Do(with(g.request(http.MethodGet, "/v1/files/file-1/content", ""), tt.headers...))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != tt.status || resp.Header.Get("Content-Range") != tt.content || string(body) != tt.body || err != nil {
				t.Errorf("%s: got %d %q and %d bytes, %v", name, resp.StatusCode, resp.Header.Get("Content-Range"), len(body), err)
			}
			if length := resp.Header.Get("Content-Length"); tt.status != 304 && length != strconv.Itoa(len(tt.body)) {
				t.Errorf("%s: Content-Length %q, want %d", name, length, len(tt.body))
			}
		}
	})
}

// A download or a sound that breaks off is not one that ended.
func TestACutBodyIsToldByAbortingOnEveryWire(t *testing.T) {
	for _, tt := range []struct {
		path, kind string
		length     string // announced
		status     int
	}{
		{"/v1/files/file-1/content", "application/octet-stream", "100000", 200},
		{"/v1/files/file-1/content", "application/octet-stream", "100000", 206},
		{"/v1/audio/speech", "audio/mpeg", "", 200},
		{"/v1/audio/speech", "audio/mpeg", "100000", 200},
		{"/v1/files/file-1/content", "application/json", "3000000", 200}, // more than is held
	} {
		t.Run(tt.path+" "+tt.kind+" "+tt.length, func(t *testing.T) {
			sent := strings.Repeat("x", 50_000)
			if tt.kind == "application/json" {
				sent = strings.Repeat("x", response.HoldAnswer+1)
			}
			onEveryWire(t, func(w http.ResponseWriter, _ *http.Request) {
				if tt.length != "" {
					w.Header().Set("Content-Length", tt.length)
				}
				w.Header().Set("Content-Type", tt.kind)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, sent)
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}, func(t *testing.T, g *rig, client *http.Client) {
				resp, err := client.Do(g.request(http.MethodGet, tt.path, ""))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if resp.StatusCode != tt.status || err == nil || !strings.HasPrefix(sent, string(body)) {
					t.Errorf("got %d and %d bytes, %v", resp.StatusCode, len(body), err)
				}
				if resp.Header.Get("Content-Length") != tt.length {
					t.Errorf("Content-Length %q", resp.Header.Get("Content-Length"))
				}
				eventually(t, "the end", func() bool { return strings.Contains(g.log.String(), `"outcome":"interrupted"`) })
				if n := g.proxy.gen().Upstreams[0].Gate.Breaker.Snapshot().Failures; n != 1 {
					t.Errorf("the breaker counted %d failures", n)
				}
			})
		})
	}
}

// An SDK's own cancellation of a download closes the upstream on every wire.
func TestLeavingADownloadClosesTheUpstreamOnEveryWire(t *testing.T) {
	left := make(chan struct{}, 1)
	onEveryWire(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		left <- struct{}{}
	}, func(t *testing.T, g *rig, client *http.Client) {
		ctx, leave := context.WithCancel(t.Context())
		resp, err := client.Do(g.request(http.MethodGet, "/v1/files/file-1/content", "").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.CopyN(io.Discard, resp.Body, 5)
		leave()
		select {
		case <-left:
		case <-time.After(patience):
			t.Error("the upstream was not closed")
		}
		resp.Body.Close()
	})
}
