// Package scenario drives a whole Outrigger, in front of the simulated upstream,
// through the troubles that its promises are about, in real time on loopback.
package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/config"
	"outrigger/internal/sim"
	"outrigger/proxy"
	"outrigger/proxy/settings"
)

// timely holds got to a bound in time, where that was asked for: OUTRIGGER_TEST_TIMING
// is set on a machine with nothing else to do (make timing). Elsewhere the figure is
// in the log, and what does not depend on the machine's speed is held.
func timely(t *testing.T, what string, got, most float64) {
	t.Helper()
	if got <= most {
		return
	}
	if os.Getenv("OUTRIGGER_TEST_TIMING") != "" {
		t.Errorf("%s is %.3f, want at most %.3f", what, got, most)
		return
	}
	t.Logf("%s is %.3f, over %.3f: is the machine busy? See make timing", what, got, most)
}

// rig is a simulated upstream with a proxy in front of it.
type rig struct {
	t      *testing.T
	sim    *sim.Sim
	base   string // of the proxy, with /v1
	client *http.Client

	upstream *url.URL
}

func newRig(t *testing.T, upstream sim.Config, edits ...func(*settings.Config)) *rig {
	t.Helper()
	s := sim.New(upstream)
	base, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t, sim: s, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}}
	t.Cleanup(func() {
		g.client.CloseIdleConnections()
		s.Close()
	})
	if g.upstream, err = url.Parse(base); err != nil {
		t.Fatal(err)
	}
	g.upstream.Path = ""
	g.base = g.sidecar(edits...)
	return g
}

// sidecar starts a proxy in front of the upstream, and returns its base URL.
func (g *rig) sidecar(edits ...func(*settings.Config)) string {
	g.t.Helper()
	s, entry := config.ProxyDefaults(), config.UpstreamDefaults()
	entry.Name, entry.URL = "sim", g.upstream
	s.Upstreams = []settings.Upstream{entry}
	s.Bodies.Dir = g.t.TempDir()
	for _, edit := range edits {
		edit(&s)
	}
	p, err := proxy.New(s, proxy.Deps{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		g.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = server.Serve(listener) }()
	g.t.Cleanup(func() {
		g.client.CloseIdleConnections()
		_ = server.Close()
		_ = p.Close()
	})
	return "http://" + listener.Addr().String() + "/v1"
}

// chatOf asks for a completion that costs tokens.
func (g *rig) chatOf(ctx context.Context, id, tokens int) (int, string) {
	n := strconv.Itoa(id)
	body := `{"model":"gpt-4o-mini","max_tokens":` + strconv.Itoa(tokens) + `,"messages":[{"role":"user","content":"` + n + `"}]}`
	return g.call(ctx, n, http.MethodPost, "/chat/completions", "application/json", []byte(body))
}

// bare is the same upstream behind a plain reverse proxy.
func (g *rig) bare() *rig {
	g.t.Helper()
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(g.upstream) },
		FlushInterval: -1,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1024},
	})
	g.t.Cleanup(server.Close)
	return &rig{t: g.t, sim: g.sim, base: server.URL + "/v1", client: g.client, upstream: g.upstream}
}

// call makes one request, which the ledger knows as id, and returns the status
// and the error's code, or 0 and the transport's error.
func (g *rig) call(ctx context.Context, id, method, path, contentType string, body []byte) (int, string) {
	return g.do(ctx, id, method, path, body, http.Header{"Authorization": {"Bearer sk-scenario"}, "Content-Type": {contentType}})
}

func (g *rig) do(ctx context.Context, id, method, path string, body []byte, header http.Header) (int, string) {
	r, err := http.NewRequestWithContext(ctx, method, g.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header = header
	r.Header.Set("X-Sim-Request", id)
	resp, err := g.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

// chat asks for a short completion.
func (g *rig) chat(ctx context.Context, id int) (int, string) {
	body := `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + strconv.Itoa(id) + `"}]}`
	return g.call(ctx, strconv.Itoa(id), http.MethodPost, "/chat/completions", "application/json", []byte(body))
}

// upload makes a file and returns its id.
func (g *rig) upload(name string) string {
	g.t.Helper()
	contentType, body := file(name)
	status, answer := g.call(g.t.Context(), name, http.MethodPost, "/files", contentType, body)
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &made); err != nil || status != http.StatusOK {
		g.t.Fatalf("uploading: %d %s", status, answer)
	}
	return made.ID
}

// file returns the content type and the body of a small upload.
func file(name string) (string, []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("purpose", "batch")
	part, _ := w.CreateFormFile("file", name+".jsonl")
	_, _ = io.WriteString(part, `{"custom_id":"`+name+`"}`)
	_ = w.Close()
	return w.FormDataContentType(), b.Bytes()
}
