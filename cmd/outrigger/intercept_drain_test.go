package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"outrigger/proxy/authority"
)

// wayOut is a proxy beyond Outrigger that echoes what is sent through its tunnels. It
// speaks TLS if it is given a certificate.
func wayOut(t *testing.T, leaf *tls.Certificate) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rest, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		_, _ = io.Copy(conn, rest)
	}))
	t.Cleanup(server.Close)
	if leaf == nil {
		server.Start()
		return server.URL
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*leaf}}
	server.StartTLS()
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// dig opens a tunnel to example.com through the listener at address, and says hello
// in it.
func dig(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(conn, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\nhello\n")
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", response, err)
	}
	if line, err := r.ReadString('\n'); line != "hello\n" || err != nil {
		t.Fatalf("read %q, %v", line, err)
	}
	return conn, r
}

func TestATunnelGoesThroughAProxyThatSpeaksTLS(t *testing.T) {
	directory := t.TempDir()
	a, err := authority.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Leaf("localhost")
	if err != nil {
		t.Fatal(err)
	}
	way := "HTTPS_PROXY=" + wayOut(t, leaf)
	p := startProcess(t, "OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR="+t.TempDir(), way, "SSL_CERT_FILE="+authority.File(directory))
	dig(t, p.traffic)
	p = startProcess(t, "OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR="+t.TempDir(), way)
	if status, code := connect(t, p.traffic, "example.com:443", ""); status != 502 || code != "tunnel_failed" {
		t.Errorf("its certificate is not to be trusted: %d %s", status, code)
	}
}

func TestADrainWaitsForATunnelInUse(t *testing.T) {
	p := startProcess(t, "OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR="+t.TempDir(), "HTTPS_PROXY="+wayOut(t, nil))
	conn, r := dig(t, p.traffic)
	p.signal(syscall.SIGTERM)
	if line := p.awaitLog("drain: refusing new requests, waiting for running ones"); line["inflight"] != 1.0 {
		t.Errorf("the log says %v", line)
	}
	_, _ = io.WriteString(conn, "still here\n")
	if line, err := r.ReadString('\n'); line != "still here\n" || err != nil {
		t.Errorf("read %q, %v", line, err)
	}
	if status, code := connect(t, p.traffic, "example.com:443", ""); status != 503 || code != "draining" {
		t.Errorf("a new tunnel: %d %s", status, code)
	}
	_ = conn.Close()
	p.awaitLog("drain: all requests finished")
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestTheEndOfADrainEndsTunnels(t *testing.T) {
	p := startProcess(t, "OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR="+t.TempDir(), "HTTPS_PROXY="+wayOut(t, nil), "OUTRIGGER_DRAIN_TIMEOUT=50ms")
	_, r := dig(t, p.traffic)
	p.signal(syscall.SIGTERM)
	if _, err := r.ReadByte(); err == nil {
		t.Error("it is still open")
	}
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestInterceptedStreamsCompleteDuringADrain(t *testing.T) {
	upstream, release := newStreams(t)
	directory := t.TempDir()
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR="+directory)
	tunnels := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: p.traffic}),
		TLSClientConfig: &tls.Config{RootCAs: trusting(t, authority.File(directory))}, ForceAttemptHTTP2: true,
	}
	client := &http.Client{Transport: tunnels, Timeout: patience}
	secure := strings.Replace(upstream, "http://127.0.0.1", "https://127.0.0.1", 1)
	response, err := client.Post(secure+"/v1/chat/completions", "application/json", strings.NewReader(`{"model":"gpt-4o","stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	p.signal(syscall.SIGTERM)
	p.awaitLog("drain: refusing new requests, waiting for running ones")
	release()
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != firstEvent+lastEvents || response.ProtoMajor != 2 {
		t.Errorf("%s %q, %v", response.Proto, text, err)
	}
	tunnels.CloseIdleConnections()
	p.awaitLog("drain: all requests finished")
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
