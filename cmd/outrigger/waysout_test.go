package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestCheckTellsTheProxyOnTheWayOut(t *testing.T) {
	for name, tt := range map[string]struct {
		environ []string
		want    []string // the end of the last lines
	}{
		"none":                    {nil, []string{"with the caller's credential"}},
		"ALL_PROXY":               {[]string{"ALL_PROXY=socks5h://me:secret@127.0.0.1:1080"}, []string{", through the proxy socks5h://127.0.0.1:1080 of ALL_PROXY"}},
		"all_proxy":               {[]string{"all_proxy=10.0.0.1:3128"}, []string{", through the proxy http://10.0.0.1:3128 of all_proxy"}},
		"HTTPS_PROXY before it":   {[]string{"ALL_PROXY=socks5://a:1", "HTTPS_PROXY=http://b:2"}, []string{", through the proxy http://b:2 of HTTPS_PROXY"}},
		"HTTP_PROXY is not https": {[]string{"ALL_PROXY=socks5://a:1", "HTTP_PROXY=http://b:2"}, []string{", through the proxy socks5://a:1 of ALL_PROXY"}},
		"NO_PROXY":                {[]string{"ALL_PROXY=socks5://a:1", "NO_PROXY=.openai.com"}, []string{"with the caller's credential"}},
		"itself":                  {[]string{"ALL_PROXY=http://localhost:8383"}, []string{"with the caller's credential"}},
		"a kind that is none":     {[]string{"ALL_PROXY=socks4://me:secret@a:1"}, []string{"with the caller's credential", `ALL_PROXY is not used: proxies of the kind "socks4" are not supported; http, https and socks5 are`}},
		"the next one instead":    {[]string{"ALL_PROXY=http://b:2", "https_proxy=socks4a://a:1"}, []string{", through the proxy http://b:2 of ALL_PROXY", `https_proxy is not used: proxies of the kind "socks4a" are not supported; http, https and socks5 are`}},
		"no host":                 {[]string{"ALL_PROXY=socks5://"}, []string{"with the caller's credential", "ALL_PROXY is not used: want a URL such as socks5h://127.0.0.1:1080"}},
	} {
		got := runWith(t, []string{"check"}, tt.environ)
		lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
		lines = lines[max(len(lines)-len(tt.want), 0):]
		if got.Code != 0 || !slices.EqualFunc(lines, tt.want, strings.HasSuffix) || strings.Contains(got.Stdout, "secret") {
			t.Errorf("%s: %q, want %q\n%s", name, lines, tt.want, got.Stderr)
		}
	}
}

// socksServer speaks SOCKS5 (RFC 1928) and connects all names to address. It notes what
// it was asked for, with user and password.
type socksServer struct {
	URL string

	mu    sync.Mutex
	asked []string
}

func newSOCKS(t *testing.T, address string, password bool) *socksServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s := &socksServer{URL: "socks5h://" + listener.Addr().String()}
	if password {
		s.URL = "socks5h://me:secret@" + listener.Addr().String()
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				s.serve(conn, address, password)
			}()
		}
	}()
	return s
}

func (s *socksServer) serve(conn net.Conn, address string, password bool) {
	r := bufio.NewReader(conn)
	read := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(r, b)
		return b
	}
	who := ""
	read(int(read(2)[1])) // the methods that are offered
	if password {
		_, _ = conn.Write([]byte{5, 2})
		user := read(int(read(2)[1]))
		who = string(user) + ":" + string(read(int(read(1)[0]))) + "@"
		_, _ = conn.Write([]byte{1, 0})
	} else {
		_, _ = conn.Write([]byte{5, 0})
	}
	if head := read(4); head[3] != 3 { // a domain name
		return
	}
	host := string(read(int(read(1)[0])))
	port := binary.BigEndian.Uint16(read(2))
	s.mu.Lock()
	s.asked = append(s.asked, who+host+":"+string(rune('0'+port%10)))
	s.mu.Unlock()
	far, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer far.Close()
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() { _, _ = io.Copy(far, r) }()
	_, _ = io.Copy(conn, far)
}

func (s *socksServer) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func TestWaysOut_ALLPROXYIsUsed(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "from "+r.Host)
	}))
	defer upstream.Close()
	for _, password := range []bool{false, true} {
		for _, variable := range []string{"ALL_PROXY", "all_proxy", "HTTP_PROXY"} {
			socks := newSOCKS(t, strings.TrimPrefix(upstream.URL, "http://"), password)
			p := startProcess(t, variable+"="+socks.URL, "OUTRIGGER_UPSTREAMS=far=http://far.invalid:8001")
			resp, err := http.Get("http://" + p.traffic + "/v1/models")
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			want := "far.invalid:1"
			if password {
				want = "me:secret@" + want
			}
			if string(body) != "from far.invalid:8001" || !slices.Equal(socks.seen(), []string{want}) {
				t.Errorf("%s: got %d %s; the proxy was asked for %q, want %q", variable, resp.StatusCode, body, socks.seen(), want)
			}
			log := p.output()
			if !strings.Contains(log, variable) || !strings.Contains(log, "reached through a proxy") || strings.Contains(log, "secret") {
				t.Errorf("it logged\n%s", log)
			}
		}
	}
}

func TestWaysOut_HostsOfThisMachineAndOfNOPROXYAreCalledStraight(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "straight") }))
	defer upstream.Close()
	socks := newSOCKS(t, "127.0.0.1:1", false)
	p := startProcess(t, "ALL_PROXY="+socks.URL, "OUTRIGGER_UPSTREAMS=near="+upstream.URL)
	resp, err := http.Get("http://" + p.traffic + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "straight" || len(socks.seen()) != 0 {
		t.Errorf("got %s; the proxy was asked for %q", body, socks.seen())
	}
}

func TestWaysOut_ProxyThatSaysNothingIsGivenUp(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0") // the backlog takes connections
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	p := startProcess(t, "ALL_PROXY=socks5://"+mute.Addr().String(), "OUTRIGGER_UPSTREAMS=far=http://far.invalid:8001",
		"OUTRIGGER_CONNECT_TIMEOUT=50ms", "OUTRIGGER_RETRY_MAX=1", "OUTRIGGER_RETRY_BASE=1ms")
	resp, err := http.Get("http://" + p.traffic + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 502 || !strings.Contains(string(body), "upstream_unreachable") || !strings.Contains(string(body), "proxy on the way out") {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}
