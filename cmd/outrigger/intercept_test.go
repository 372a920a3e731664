package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/proxy/authority"
)

// secureUpstream is an upstream behind TLS, with a certificate for these names from an
// authority of its own, that tells how it was called.
func secureUpstream(t *testing.T, names ...string) (*httptest.Server, string) {
	t.Helper()
	directory := t.TempDir()
	a, err := authority.Open(directory, names...)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Leaf(names...)
	if err != nil {
		t.Fatal(err)
	}
	return serveTLS(t, leaf), authority.File(directory)
}

func serveTLS(t *testing.T, leaf *tls.Certificate) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %s%s %s", r.Method, r.Host, r.URL, r.Header.Get("Authorization"))
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*leaf}}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	server.URL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return server
}

// behind is an app that knows nothing but HTTPS_PROXY and the authority to trust.
func behind(t *testing.T, proxyURL string, pool *x509.CertPool, set func(*http.Protocols, bool)) *http.Client {
	t.Helper()
	via, err := url.Parse(proxyURL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(via), TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: &http.Protocols{}}
	set(transport.Protocols, true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// ask returns status, version and body of an answer.
func ask(t *testing.T, client *http.Client, method, url, body string) (int, string, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk-app")
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Proto, string(text)
}

// intercepting starts Outrigger in HTTPS_PROXY mode towards upstream, whose authority
// is in roots, and returns it with what an app has to trust.
func intercepting(t *testing.T, upstream, roots string, more ...string) (*process, *x509.CertPool) {
	t.Helper()
	directory := t.TempDir()
	p := startProcess(t, append([]string{
		"OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR=" + directory, "OUTRIGGER_UPSTREAMS=test=" + upstream,
		"SSL_CERT_FILE=" + roots, "SSL_CERT_DIR=/nowhere", "OUTRIGGER_RETRY_BASE=1ms", "OUTRIGGER_RETRY_CAP=1ms", "OUTRIGGER_RETRY_MAX=1",
	}, more...)...)
	return p, trusting(t, authority.File(directory))
}

func TestAnAppBehindHTTPSProxyReachesItsUpstreamThroughOutrigger(t *testing.T) {
	upstream, roots := secureUpstream(t, "localhost")
	p, pool := intercepting(t, upstream.URL, roots)
	host := strings.TrimPrefix(upstream.URL, "https://")
	for version, set := range map[string]func(*http.Protocols, bool){"HTTP/1.1": http1, "HTTP/2.0": (*http.Protocols).SetHTTP2} {
		app := behind(t, "http://"+p.traffic, pool, set)
		for range 3 { // on one connection
			status, got, body := ask(t, app, http.MethodPost, upstream.URL+"/v1/chat/completions?a=b", `{"model":"m"}`)
			if want := "POST " + host + "/v1/chat/completions?a=b Bearer sk-app"; status != 200 || got != version || body != want {
				t.Errorf("%s: %d %s %s, want %s", version, status, got, body, want)
			}
		}
	}
	_, metrics := get(t, "http://"+p.admin+"/metrics")
	for _, line := range []string{`outrigger_tunnels_total{outcome="intercepted"} 2`, `outrigger_attempts_total{outcome="ok",upstream="test"} 6`, "outrigger_tunnels_open 0"} {
		if !strings.Contains(metrics, "\n"+line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}

func TestAGivenCertificateIsTheListenersAloneWhereTunnelsAreIntercepted(t *testing.T) {
	upstream, roots := secureUpstream(t, "localhost")
	cert, key, given := givenPair(t)
	p, pool := intercepting(t, upstream.URL, roots, "OUTRIGGER_TLS_CERT_FILE="+cert, "OUTRIGGER_TLS_KEY_FILE="+key)
	if _, _, err := secureGet(t, "https://"+p.traffic+"/v1/models", given, http1); err != nil {
		t.Errorf("the listener: %v", err)
	}
	content, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"http://", "https://"} { // a proxy may be spoken to by TLS as well
		pool.AppendCertsFromPEM(content)
		if status, _, body := ask(t, behind(t, scheme+p.traffic, pool, http1), http.MethodGet, upstream.URL+"/v1/models", ""); status != 200 {
			t.Errorf("a tunnel, by %s: %d %s", scheme, status, body)
		}
	}
}

func TestTheUpstreamsPathIsNotPutTwice(t *testing.T) {
	upstream, roots := secureUpstream(t, "localhost")
	p, pool := intercepting(t, upstream.URL+"/api/", roots)
	app, host := behind(t, "http://"+p.traffic, pool, http1), strings.TrimPrefix(upstream.URL, "https://")
	for path, want := range map[string]string{
		"/api/v1/models":          "/api/v1/models",
		"/api/v1/models/a%2Fb":    "/api/v1/models/a%2Fb",
		"/api/":                   "/api/",
		"/api":                    "/api",
		"/apiary/v1":              "/apiary/v1",
		"/other/@test/v1?q=a;b":   "/other/@test/v1?q=a;b",
		"/@test/v1/models?api=/a": "/@test/v1/models?api=/a",
	} {
		if _, _, body := ask(t, app, http.MethodGet, upstream.URL+path, ""); body != "GET "+host+want+" Bearer sk-app" {
			t.Errorf("%s arrives as %s", path, body)
		}
	}
}

// Whatever is wrong with the real upstream's certificate, it is not the app's to
// overlook: it sees Outrigger's. So nothing is sent there.
func TestAnUpstreamWhoseCertificateIsNotValidGetsNothing(t *testing.T) {
	directory := t.TempDir()
	a, err := authority.Open(directory, "localhost", "other.example")
	if err != nil {
		t.Fatal(err)
	}
	good, err := a.Leaf("localhost")
	if err != nil {
		t.Fatal(err)
	}
	other, err := a.Leaf("other.example")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := authority.Open(t.TempDir(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := stranger.Leaf("localhost")
	if err != nil {
		t.Fatal(err)
	}
	expired, roots := expiredLeaf(t, authority.File(directory))
	for name, tt := range map[string]struct {
		leaf *tls.Certificate
		good bool
	}{"valid": {good, true}, "expired": {expired, false}, "another host's": {other, false}, "of an unknown authority": {unknown, false}} {
		t.Run(name, func(t *testing.T) {
			upstream := serveTLS(t, tt.leaf)
			var calls atomic.Int64
			answer := upstream.Config.Handler
			upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls.Add(1); answer.ServeHTTP(w, r) })
			p, pool := intercepting(t, upstream.URL, roots)
			through, _, body := ask(t, behind(t, "http://"+p.traffic, pool, http1), http.MethodGet, upstream.URL+"/v1/models", "")
			direct, _, _ := ask(t, http.DefaultClient, http.MethodGet, "http://"+p.traffic+"/v1/models", "")
			if tt.good {
				if through != 200 || direct != 200 || calls.Load() != 2 {
					t.Errorf("got %d %s and %d after %d calls", through, body, direct, calls.Load())
				}
				return
			}
			if through != 502 || direct != 502 || calls.Load() != 0 || !strings.Contains(body, `"upstream_unreachable"`) || !strings.Contains(body, "certificate is not valid") {
				t.Errorf("got %d %s and %d after %d calls", through, body, direct, calls.Load())
			}
		})
	}
}

func TestOtherHostsAreTunnelledToOrRefused(t *testing.T) {
	upstream, roots := secureUpstream(t, "localhost")
	p, _ := intercepting(t, upstream.URL, roots)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(upstream.URL, "https://"))
	for target, want := range map[string]struct {
		status int
		code   string
	}{
		"localhost:443":                 {403, "tunnel_refused"}, // the upstream's host, and not its port
		"127.0.0.1:" + port:             {403, "tunnel_refused"}, // its port, by another name
		"127.0.0.1:443":                 {403, "tunnel_refused"},
		"[::1]:443":                     {403, "tunnel_refused"},
		"[::ffff:127.0.0.1]:443":        {403, "tunnel_refused"},
		"169.254.169.254:443":           {403, "tunnel_refused"},
		"[fd00:ec2::254]:443":           {403, "tunnel_refused"},
		"10.0.0.1:443":                  {403, "tunnel_refused"},
		"[64:ff9b::10.0.0.1]:443":       {403, "tunnel_refused"},
		"example.com:80":                {403, "tunnel_refused"},
		"example.com:22":                {403, "tunnel_refused"},
		"no-such-host.invalid:443":      {502, "tunnel_failed"},
		"example.com":                   {400, "bad_request"},
		"example.com:":                  {400, "bad_request"},
		"example.com:https":             {400, ""}, // not even HTTP
		"u:p@example.com:443":           {400, ""},
		"exam_ple!.com:443":             {400, "bad_request"},
		strings.Repeat("a", 300) + ":1": {400, "bad_request"},
	} {
		status, code := connect(t, p.traffic, target, "")
		if status != want.status || code != want.code {
			t.Errorf("CONNECT %s: %d %s, want %d %s", target, status, code, want.status, want.code)
		}
	}
}

// connect asks for a tunnel and returns the status and the error's code.
func connect(t *testing.T, address, target, header string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, target, header)
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodGet})
	if err != nil {
		t.Fatalf("CONNECT %s: %v", target, err)
	}
	if response.StatusCode == 200 {
		return 200, ""
	}
	var e struct{ Error struct{ Code string } }
	_ = json.NewDecoder(response.Body).Decode(&e) // net/http's own are plain text
	return response.StatusCode, e.Error.Code
}

func TestATokenStandsInTheProxysURL(t *testing.T) {
	upstream, roots := secureUpstream(t, "localhost")
	p, pool := intercepting(t, upstream.URL, roots, "OUTRIGGER_CLIENT_TOKENS=secret-token")
	target := strings.TrimPrefix(upstream.URL, "https://")
	for header, want := range map[string]int{
		"": 407, "Proxy-Authorization: Basic Og==\r\n": 407, "Proxy-Authorization: Bearer secret\r\n": 407, "x-outrigger-token: secret-token\r\n": 407,
		"Proxy-Authorization: Bearer secret-token\r\n":            200,
		"Proxy-Authorization: Basic c2VjcmV0LXRva2VuOg==\r\n":     200, // secret-token:
		"Proxy-Authorization: basic YW55OnNlY3JldC10b2tlbg==\r\n": 200, // any:secret-token
	} {
		if status, code := connect(t, p.traffic, target, header); status != want || code != map[int]string{407: "client_token_required"}[want] {
			t.Errorf("%q: %d %s, want %d", header, status, code, want)
		}
	}
	if status, _, body := ask(t, behind(t, "http://secret-token@"+p.traffic, pool, http1), http.MethodGet, upstream.URL+"/v1/models", ""); status != 200 {
		t.Errorf("through the proxy: %d %s", status, body)
	}
	if status, _, body := ask(t, http.DefaultClient, http.MethodGet, "http://"+p.traffic+"/v1/models", ""); status != 401 {
		t.Errorf("straight, without one: %d %s", status, body)
	}
	if strings.Contains(p.output(), "secret-token") {
		t.Errorf("the log has the token:\n%s", p.output())
	}
}

func TestPlainHTTPIsServedForTheUpstreamAlone(t *testing.T) {
	upstream, _ := newStreams(t)
	directory := t.TempDir()
	p := startProcess(t, "OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR="+directory, "OUTRIGGER_UPSTREAMS=test="+upstream)
	app := behind(t, "http://"+p.traffic, nil, http1)
	if status, _, body := ask(t, app, http.MethodGet, upstream+"/v1/models", ""); status != 200 || body != "upstream says hello" {
		t.Errorf("the upstream: %d %s", status, body)
	}
	if status, _, body := ask(t, app, http.MethodGet, "http://example.com/", ""); status != 400 || !strings.Contains(body, `"bad_request"`) {
		t.Errorf("another host: %d %s", status, body)
	}
	// Some clients tunnel plain HTTP too.
	if status, _ := connect(t, p.traffic, strings.TrimPrefix(upstream, "http://"), ""); status != 200 {
		t.Errorf("a tunnel to it: %d", status)
	}
}

func TestAnAuthorityMadeForOtherUpstreamsStopsTheStart(t *testing.T) {
	directory := t.TempDir()
	if _, err := authority.Open(directory, "api.groq.com"); err != nil {
		t.Fatal(err)
	}
	got := runWith(t, nil, []string{"OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR=" + directory, "OUTRIGGER_LISTEN=127.0.0.1:0", "OUTRIGGER_ADMIN_LISTEN=off"})
	if got.Code != 1 || !strings.Contains(got.Stderr, `"api.openai.com" is wanted`) || !strings.Contains(got.Stderr, "remove "+directory+"/private") {
		t.Errorf("got %+v", got)
	}
	got = runWith(t, nil, []string{"OUTRIGGER_INTERCEPT=on", "OUTRIGGER_LISTEN=127.0.0.1:0", "OUTRIGGER_ADMIN_LISTEN=off"})
	if got.Code != 1 || !strings.Contains(got.Stderr, "set OUTRIGGER_CA_DIR") {
		t.Errorf("without a home: %+v", got)
	}
}
