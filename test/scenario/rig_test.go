// Package scenario drives a whole Outrigger, in front of the simulated upstream,
// through the troubles that its promises are about, in real time on loopback.
package scenario

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/sim"
	"outrigger/proxy"
)

// rig is a simulated upstream with a proxy in front of it.
type rig struct {
	t      *testing.T
	sim    *sim.Sim
	base   string // of the proxy, with /v1
	client *http.Client
}

func newRig(t *testing.T, upstream sim.Config, edits ...func(*proxy.Config)) *rig {
	t.Helper()
	s := sim.New(upstream)
	base, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config, entry := proxy.DefaultConfig(), proxy.DefaultUpstream()
	entry.Name = "sim"
	if entry.URL, err = url.Parse(base); err != nil {
		t.Fatal(err)
	}
	entry.URL.Path = ""
	config.Upstreams = []proxy.Upstream{entry}
	config.Bodies.Dir = t.TempDir()
	for _, edit := range edits {
		edit(&config)
	}
	p, err := proxy.New(config, proxy.Deps{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = server.Serve(listener) }()
	g := &rig{
		t: t, sim: s, base: "http://" + listener.Addr().String() + "/v1",
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}},
	}
	t.Cleanup(func() {
		g.client.CloseIdleConnections()
		_ = server.Close()
		_ = p.Close()
		s.Close()
	})
	return g
}

// call makes one request, which the ledger knows as id, and returns the status
// and the error's code, or 0 and the transport's error.
func (g *rig) call(ctx context.Context, id, method, path, contentType string, body []byte) (status int, answer string) {
	r, err := http.NewRequestWithContext(ctx, method, g.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer sk-scenario")
	r.Header.Set("Content-Type", contentType)
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

// file is a small upload.
func file(name string) (contentType string, body []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("purpose", "batch")
	part, _ := w.CreateFormFile("file", name+".jsonl")
	_, _ = io.WriteString(part, `{"custom_id":"`+name+`"}`)
	_ = w.Close()
	return w.FormDataContentType(), b.Bytes()
}
