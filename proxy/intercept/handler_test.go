package intercept

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/test/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// patience bounds what a test waits for on a real socket.
const patience = 30 * time.Second

// offered is a connection that a handler gave away.
type offered struct {
	conn   net.Conn
	target string
	token  string
	unread string
}

// rig is a Handler behind a server on loopback. Its tunnels lead to what dial says.
type rig struct {
	*Handler
	address string
	offers  chan offered
	log     *bytes.Buffer
	metrics *prometheus.Registry
}

// counted is how many CONNECTs had that outcome.
func (g *rig) counted(t *testing.T, outcome string) float64 {
	t.Helper()
	families, err := g.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if labels := metric.GetLabel(); len(labels) == 1 && labels[0].GetValue() == outcome {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func newRig(t *testing.T, dial func(ctx context.Context, host, port string) (net.Conn, error)) *rig {
	t.Helper()
	g := &rig{offers: make(chan offered, 10), log: &bytes.Buffer{}, metrics: prometheus.NewRegistry()}
	var err error
	g.Handler, err = New(Options{
		Next:    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "next") }),
		Targets: []string{"api.example:443"},
		Offer: func(c net.Conn, target, token string, unread []byte) {
			g.offers <- offered{c, target, token, string(unread)}
		},
		Knows:  func(string) bool { return true },
		Listen: "127.0.0.1:0", Connect: patience, Log: slog.New(slog.NewTextHandler(g.log, nil)), Registry: g.metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	if dial != nil {
		g.dial = dial
	}
	server := httptest.NewServer(g.Handler)
	g.address = server.Listener.Addr().String()
	t.Cleanup(func() {
		server.Close()
		g.Close()
	})
	return g
}

// connect sends a CONNECT with more behind it and returns the connection, and the
// answer's status and body.
func (g *rig) connect(t *testing.T, target, more string) (net.Conn, *bufio.Reader, int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", g.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nProxy-Authorization: Bearer token\r\n\r\n%s", target, target, more)
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK {
		return conn, r, 200, ""
	}
	body := make([]byte, max(response.ContentLength, 0))
	_, _ = io.ReadFull(r, body)
	return conn, r, response.StatusCode, string(body)
}

func TestATunnelToAnUpstreamIsOffered(t *testing.T) {
	g := newRig(t, nil)
	for name, tt := range map[string]struct{ target, more string }{
		"as it is":          {"api.example:443", ""},
		"in another form":   {"API.Example.:443", ""},
		"with bytes behind": {"api.example:443", "\x16\x03\x01 a hello"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _, status, body := g.connect(t, tt.target, tt.more)
			if status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			o := <-g.offers
			defer o.conn.Close()
			_, _ = io.WriteString(conn, "!")
			rest := make([]byte, len(tt.more)+1-len(o.unread))
			_ = o.conn.SetReadDeadline(time.Now().Add(patience))
			if _, err := io.ReadFull(o.conn, rest); err != nil || o.unread+string(rest) != tt.more+"!" || o.target != "api.example:443" || o.token != "token" {
				t.Errorf("got %+v and %q, %v", o, rest, err)
			}
		})
	}
}

// elsewhere is another host's server, which the handler believes to be public.
func elsewhere(t *testing.T) (*httptest.Server, func(context.Context, string, string) (net.Conn, error)) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s says: %s", r.Host, body)
	}))
	t.Cleanup(server.Close)
	return server, func(ctx context.Context, host, port string) (net.Conn, error) {
		if host != "example.com" || port != "443" {
			return nil, fmt.Errorf("dialled %s:%s", host, port)
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
}

func TestAnotherHostIsTunnelledUntouched(t *testing.T) {
	server, dial := elsewhere(t)
	g := newRig(t, dial)
	via := &url.URL{Scheme: "http", Host: g.address}
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	transport := &http.Transport{Proxy: http.ProxyURL(via), TLSClientConfig: &tls.Config{RootCAs: roots}}
	long := strings.Repeat("x", 1<<20)
	for range 2 {
		response, err := (&http.Client{Transport: transport, Timeout: patience}).Post("https://example.com/", "text/plain", strings.NewReader(long))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if string(body) != "example.com says: "+long || err != nil {
			t.Errorf("got %d bytes, %v", len(body), err)
		}
		// The app verified the other host's own certificate.
		if got := response.TLS.PeerCertificates[0]; !got.Equal(server.Certificate()) {
			t.Errorf("the certificate is %v's", got.Subject)
		}
	}
	if g.Inflight() != 1 || g.tunnels.count() != 1 {
		t.Errorf("%d tunnels of %d in flight", g.Inflight(), g.tunnels.count())
	}
	transport.CloseIdleConnections()
	g.tunnels.tasks.Wait()
	if n := g.counted(t, "completed"); n != 1 || !strings.Contains(g.log.String(), "host=example.com outcome=completed") {
		t.Errorf("%v are counted, log:\n%s", n, g.log)
	}
}

func TestTheEndOfADrainEndsTunnels(t *testing.T) {
	_, dial := elsewhere(t)
	g := newRig(t, dial)
	conn, r, status, body := g.connect(t, "example.com:443", "")
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	g.Drain()
	if _, _, status, body := g.connect(t, "example.com:443", ""); status != 503 || !strings.Contains(body, `"draining"`) {
		t.Errorf("a new one: %d %s", status, body)
	}
	g.Cancel()
	if _, err := r.ReadByte(); err == nil {
		t.Error("it is still open")
	}
	_ = conn.Close()
}

func TestATunnelThatCannotBeHadIsRefusedWithTheReason(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"an address that is not public": {fmt.Errorf("dial: %w", ErrAddress), `403 "tunnel_refused" public addresses only`},
		"no such name":                  {&net.DNSError{Err: "no such host", Name: "x"}, `502 "tunnel_failed" the name was not found`},
		"nobody listens":                {&net.OpError{Err: syscall.ECONNREFUSED}, `502 "tunnel_failed" connection refused`},
		"no answer":                     {context.DeadlineExceeded, `502 "tunnel_failed" no connection in time`},
		"anything else":                 {errors.New("10.0.0.7 is on fire"), `502 "tunnel_failed" no connection`},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, func(context.Context, string, string) (net.Conn, error) { return nil, tt.err })
			_, _, status, body := g.connect(t, "example.com:443", "")
			for _, part := range strings.SplitN(tt.want, " ", 3)[1:] {
				if !strings.Contains(body, part) || strings.Contains(body, "10.0.0.7") {
					t.Errorf("%s: got %s", part, body)
				}
			}
			if !strings.HasPrefix(tt.want, fmt.Sprint(status)) || g.tunnels.count() != 0 {
				t.Errorf("status %d, %d tunnels", status, g.tunnels.count())
			}
		})
	}
}

func TestTooManyTunnelsAreRefused(t *testing.T) {
	g := newRig(t, nil)
	for range maxTunnels {
		g.tunnels.room()
	}
	if _, _, status, body := g.connect(t, "example.com:443", ""); status != 503 || !strings.Contains(body, `"tunnels_full"`) {
		t.Errorf("%d %s", status, body)
	}
	for range maxTunnels {
		g.tunnels.giveUp()
	}
}

func TestWhatIsNoCONNECTIsPassedOn(t *testing.T) {
	g := newRig(t, nil)
	response, err := http.Get("http://" + g.address + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); string(body) != "next" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

func TestOddTunnelsAreRefused(t *testing.T) {
	g := newRig(t, nil)
	for name, r := range map[string]*http.Request{
		"over HTTP/2":       {ProtoMajor: 2, RequestURI: "api.example:443"},
		"inside of another": (&http.Request{ProtoMajor: 1, RequestURI: "api.example:443"}).WithContext(WithTarget(t.Context(), "api.example:443")),
		"cannot be had":     {ProtoMajor: 1, RequestURI: "api.example:443"},
	} {
		r.Method = http.MethodConnect
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != 400 || !strings.Contains(w.Body.String(), `"bad_request"`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
