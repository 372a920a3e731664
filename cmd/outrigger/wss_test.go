package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"outrigger/proxy/authority"
)

// echoing returns the URL of an upstream whose WebSockets say what they hear.
func echoing(t *testing.T, leaf *tls.Certificate) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		for {
			kind, text, err := c.Read(r.Context())
			if err != nil {
				return
			}
			_ = c.Write(r.Context(), kind, text)
		}
	}))
	if leaf == nil {
		server.Start()
	} else {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{*leaf}}
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// talk has a WebSocket at wss:// url, by that way, repeat two messages.
func talk(t *testing.T, url string, way *http.Transport) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: way}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for _, say := range []string{"hello", strings.Repeat("x", 20_000)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(say)); err != nil {
			t.Fatal(err)
		}
		if _, heard, err := c.Read(ctx); string(heard) != say || err != nil {
			t.Errorf("heard %d bytes, %v", len(heard), err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
		t.Error(err)
	}
}

func TestAWebSocketIsServedOverTLS(t *testing.T) {
	directory := t.TempDir()
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+echoing(t, nil), "OUTRIGGER_CA_DIR="+directory)
	talk(t, "wss://"+p.traffic+"/v1/realtime", &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusting(t, authority.File(directory))}})
}

func TestAWebSocketIsServedThroughATunnel(t *testing.T) {
	directory := t.TempDir()
	a, err := authority.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Leaf("localhost")
	if err != nil {
		t.Fatal(err)
	}
	upstream := echoing(t, leaf)
	p, pool := intercepting(t, upstream, authority.File(directory))
	talk(t, strings.Replace(upstream, "https://", "wss://", 1)+"/v1/realtime", &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: p.traffic}), TLSClientConfig: &tls.Config{RootCAs: pool},
	})
	if _, metrics := get(t, "http://"+p.admin+"/metrics"); !strings.Contains(metrics, `outrigger_tunnels_total{outcome="intercepted"} 1`) {
		t.Error("it did not come through a tunnel")
	}
}
