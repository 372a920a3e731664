package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// good answers goodPath, and all else with ok.
func good(w http.ResponseWriter, r *http.Request, _ int) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.URL.Path == goodPath {
		_, _ = io.WriteString(w, "good")
		return
	}
	_, _ = io.WriteString(w, "ok")
}

func TestWhatIsNotHTTPGetsAPlainRefusal(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	many := func() string {
		var b strings.Builder
		for i := range 100_000 {
			fmt.Fprintf(&b, "X-%d: y\r\n", i)
		}
		return b.String()
	}()
	tests := map[string]struct {
		request string
		status  int
	}{
		"garbage":                             {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + strings.Repeat("\x03", 32) + "\r\n\r\n", 400},
		"no version":                          {"GET /a-target-without-a-version\r\n\r\n", 400},
		"an unknown version":                  {"GET / HTTP/4.2\r\nHost: localhost\r\n\r\n", 505},
		"a space in the target":               {"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
		"a control character in the target":   {"GET /a\x01b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
		"a bad escape in the path":            {"GET /a%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
		"a bad method":                        {"G@T / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
		"no host":                             {"GET / HTTP/1.1\r\n\r\n", 400},
		"two hosts":                           {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
		"a host that is none":                 {"GET / HTTP/1.1\r\nHost: local\x00host\r\n\r\n", 400},
		"a header without a colon":            {"GET / HTTP/1.1\r\nHost: localhost\r\nNonsense\r\n\r\n", 400},
		"a space before the colon":            {"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length : 3\r\n\r\nabc", 400},
		"a control character in a value":      {"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n", 400},
		"a header name that is none":          {"GET / HTTP/1.1\r\nHost: localhost\r\nX A: 1\r\n\r\n", 400},
		"two lengths":                         {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
		"a length that is negative":           {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400},
		"a length with a plus":                {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +3\r\n\r\nabc", 400},
		"a length beyond 64 bits":             {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\nabc", 400},
		"an unknown transfer coding":          {"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
		"a disguised transfer coding":         {"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400},
		"two transfer codings":                {"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 501},
		"a hundred thousand headers":          {"GET / HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n", 431},
		"one header of 200 KiB":               {"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + long + "\r\n\r\n", 431},
		"a target of 200 KiB":                 {"GET /" + long + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
		"an expectation that nobody can meet": {"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\n\r\n", 417},
	}
	g := newRig(t, good)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := g.calls.Load()
			conn := g.dial()
			go func() { _, _ = io.WriteString(conn, tt.request) }()
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status || g.calls.Load() != before {
				t.Errorf("got %d after %d calls, want %d and none", resp.StatusCode, g.calls.Load()-before, tt.status)
			}
			g.works()
		})
	}
	eventually(t, "all requests to end", func() bool { return g.inflight() == 0 })
}

func TestALengthBesideChunksIsNotBelieved(t *testing.T) {
	g, got := catching(t)
	conn := g.dial()
	_, _ = io.WriteString(conn, "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"3\r\nabc\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if resp, _ := g.readAnswer(bufio.NewReader(conn), http.MethodPost); resp.StatusCode != http.StatusOK {
		t.Fatalf("got %d", resp.StatusCode)
	}
	a := <-got
	if a.target != "/v1/x" || a.body != "abc" || a.length != 3 || a.chunked || a.header["Transfer-Encoding"] != nil {
		t.Errorf("arrived as %+v", a)
	}
	g.works()
}

func TestABodyThatIsTooLargeIsNotRead(t *testing.T) {
	g := newRig(t, good, func(c *settings.Config) { c.Bodies.BodyMax = 1 << 20 })
	refused := func(t *testing.T, text io.Reader) {
		conn := g.dial()
		go func() { _, _ = io.Copy(conn, text) }()
		resp, body := g.readAnswer(bufio.NewReader(conn), http.MethodPost)
		if resp.StatusCode != http.StatusRequestEntityTooLarge || errorCode(t, body) != "request_too_large" || !resp.Close {
			t.Errorf("got %d %s, close %t", resp.StatusCode, body, resp.Close)
		}
		eventually(t, "the end", func() bool { return g.inflight() == 0 })
		if memory, disk := g.held(); memory != 0 || disk != 0 {
			t.Errorf("%d bytes of memory and %d of disk are held", memory, disk)
		}
		g.works()
	}
	const head = "POST /v1/files HTTP/1.1\r\nHost: localhost\r\n"
	t.Run("2 GiB are announced", func(t *testing.T) {
		refused(t, strings.NewReader(head+"Content-Length: 2147483648\r\n\r\n"))
	})
	t.Run("and only on request", func(t *testing.T) {
		refused(t, strings.NewReader(head+"Content-Length: 2147483648\r\nExpect: 100-continue\r\n\r\n"))
	})
	t.Run("in chunks", func(t *testing.T) {
		chunks := strings.Repeat("10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n", 17) // and no end
		refused(t, strings.NewReader(head+"Transfer-Encoding: chunked\r\n\r\n"+chunks))
	})
	if g.calls.Load() != 3 { // the other callers'
		t.Errorf("%d calls went upstream", g.calls.Load())
	}
}

func TestABodyThatIsCutShortGoesNowhere(t *testing.T) {
	g := newRig(t, good)
	for name, text := range map[string]string{
		"with a length": "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc",
		"in chunks":     "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := g.dial()
			_, _ = io.WriteString(conn, text)
			_ = conn.(*net.TCPConn).CloseWrite()
			resp, body := g.readAnswer(bufio.NewReader(conn), http.MethodPost)
			if resp.StatusCode != http.StatusBadRequest || errorCode(t, body) != "bad_request" {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
			g.works()
		})
	}
	if g.calls.Load() != 2 {
		t.Errorf("%d calls went upstream", g.calls.Load())
	}
}

// dripping writes text one byte at a time, in a goroutine of its own.
func dripping(t *testing.T, conn net.Conn, text string, every time.Duration) {
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := range text {
			select {
			case <-tick.C:
			case <-t.Context().Done():
				return
			}
			if _, err := conn.Write([]byte{text[i]}); err != nil {
				return
			}
		}
	}()
}

func TestASlowBodyIsEnded(t *testing.T) {
	tests := map[string]struct {
		every  time.Duration
		size   int
		status int
		after  time.Duration
		give   time.Duration // the server reads in blocks
	}{
		"a byte a second":              {time.Second, 1000, 400, bodyGrace + restGrace, 0},
		"a byte a second, but a few":   {time.Second, 20, 200, 20 * time.Second, 0},
		"two KiB a second, for long":   {time.Second / (2 * bodyRate), 100 << 10, 200, 50 * time.Second, 0},
		"half a KiB a second for long": {time.Second / (bodyRate / 2), 100 << 10, 400, 58 * time.Second, 4 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, good)
				conn := g.dial()
				_ = conn.SetDeadline(time.Time{})
				start := time.Now()
				_, _ = fmt.Fprintf(conn, "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", tt.size)
				dripping(t, conn, strings.Repeat("x", tt.size), tt.every)
				resp, body := g.readAnswer(bufio.NewReader(conn), http.MethodPost)
				took := time.Since(start).Round(time.Second)
				if resp.StatusCode != tt.status || (took-tt.after).Abs() > tt.give {
					t.Errorf("got %d %s after %s, want %d after %s", resp.StatusCode, body, took, tt.status, tt.after)
				}
				if tt.status == 400 && !strings.Contains(body, "too slowly") {
					t.Errorf("the reason is missing: %s", body)
				}
				_ = conn.Close()
				g.works()
			})
		})
	}
}

// A refusal that is given before the body is read must not wait for the body.
func TestARefusalDoesNotWaitForTheBody(t *testing.T) {
	for name, request := range map[string]string{
		"a foreign host":   "POST /v1/files HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 100\r\n\r\n",
		"no such upstream": "POST /@nobody/v1/files HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
		"a body too large": "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, good, func(c *settings.Config) { c.Bodies.BodyMax = 10 })
				conn := g.dial()
				_ = conn.SetDeadline(time.Time{})
				start := time.Now()
				_, _ = io.WriteString(conn, request)
				dripping(t, conn, strings.Repeat("1\r\nx\r\n", 100), time.Minute)
				resp, _ := g.readAnswer(bufio.NewReader(conn), http.MethodPost)
				if took := time.Since(start); resp.StatusCode < 400 || !resp.Close || took > 5*time.Second {
					t.Errorf("got %d after %s, close %t", resp.StatusCode, took, resp.Close)
				}
				_ = conn.Close()
				g.works()
			})
		})
	}
}

func TestOnlyThisServersNamesAreServed(t *testing.T) {
	hosts := map[string]int{
		"localhost": 200, "localhost:8383": 200, "LOCALHOST:1": 200, "localhost.": 200, "127.0.0.1": 200, "127.0.0.1:8383": 200, "[::1]:8383": 200, "[::1]": 200,
		"evil.example": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example:8383": 403, "127.0.0.2": 403, "0.0.0.0:8383": 403, "169.254.169.254": 403,
		"": 403, "[::ffff:127.0.0.1]": 403, "[]": 403, ":8383": 403, "localhost:localhost:1": 403,
	}
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, good)
		for host, want := range hosts {
			resp, body := g.raw("GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
			if resp.StatusCode != want {
				t.Errorf("host %q got %d %s", host, resp.StatusCode, body)
			}
		}
		if resp, _ := g.raw("GET /v1/models HTTP/1.0\r\n\r\n"); resp.StatusCode != 403 {
			t.Errorf("no host at all got %d", resp.StatusCode)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, good, func(c *settings.Config) { c.Callers.Hosts = []string{"proxy.internal", "[fd00::1]"} })
		for host, want := range map[string]int{"proxy.internal:8383": 200, "[fd00::1]:8383": 200, "localhost": 403} {
			if resp, _ := g.raw("GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\n\r\n"); resp.StatusCode != want {
				t.Errorf("with a list, host %q got %d", host, resp.StatusCode)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, good, func(c *settings.Config) { c.Callers.Listen = "0.0.0.0:8383" })
		for _, host := range []string{"outrigger.default.svc:8383", "10.0.0.7"} {
			if resp, _ := g.raw("GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\n\r\n"); resp.StatusCode != 200 {
				t.Errorf("on all addresses, host %q got %d", host, resp.StatusCode)
			}
		}
	})
}

func TestPagesMayCallOnlyFromAllowedOrigins(t *testing.T) {
	tests := map[string]struct {
		headers []string
		status  int
	}{
		"no page":                    {nil, 200},
		"a foreign page":             {[]string{"Origin: https://evil.example"}, 403},
		"a page without an origin":   {[]string{"Origin: null"}, 403},
		"a page of this machine":     {[]string{"Origin: http://localhost:3000"}, 403},
		"an allowed page":            {[]string{"Origin: https://app.example"}, 200},
		"in capitals":                {[]string{"Origin: HTTPS://APP.example"}, 200},
		"on another port":            {[]string{"Origin: https://app.example:444"}, 403},
		"an origin that begins so":   {[]string{"Origin: https://app.example.evil.example"}, 403},
		"an allowed page, from afar": {[]string{"Origin: https://app.example", "Sec-Fetch-Site: cross-site"}, 200},
		"a picture of a page":        {[]string{"Sec-Fetch-Site: cross-site"}, 403},
		"a script of a sister":       {[]string{"Sec-Fetch-Site: same-site"}, 403},
		"a typed address":            {[]string{"Sec-Fetch-Site: none"}, 200},
		"its own page":               {[]string{"Sec-Fetch-Site: same-origin"}, 200},
	}
	g := newRig(t, good, func(c *settings.Config) { c.Callers.Origins, c.Limit.Learn = []string{"https://app.example"}, false })
	for name, tt := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			resp, body := g.do(with(g.request(method, "/v1/models", ""), tt.headers...))
			if resp.StatusCode != tt.status {
				t.Errorf("%s %s: got %d %s", method, name, resp.StatusCode, body)
			}
		}
	}
}

func TestATokenIsAskedForAndNotPassedOn(t *testing.T) {
	g, got := catching(t, func(c *settings.Config) {
		c.Callers.Tokens = []values.Secret{values.NewSecret("first"), values.NewSecret("second")}
	})
	for token, want := range map[string]int{"first": 200, "second": 200, "": 401, "firs": 401, "first ": 200, "firstsecond": 401, "FIRST": 401} {
		resp, body := g.do(with(g.request(http.MethodGet, "/v1/models", ""), "X-Outrigger-Token: "+token))
		if resp.StatusCode != want {
			t.Errorf("token %q got %d %s", token, resp.StatusCode, body)
		}
		if want == 200 {
			if a := <-got; a.header["X-Outrigger-Token"] != nil {
				t.Error("the token was passed on")
			}
		}
	}
	if len(got) != 0 {
		t.Error("a caller without a token was passed on")
	}
}

func TestNoProtocolIsSwitchedButToWebSocket(t *testing.T) {
	g, got := catching(t)
	for name, lines := range map[string]string{
		"h2c":                  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
		"TLS":                  "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
		"h2c behind websocket": "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
		"what is no name":      "Connection: Upgrade\r\nUpgrade: \x80\xff\r\n",
		"nothing":              "Connection: Upgrade\r\nUpgrade:\r\n",
		"without being asked":  "Upgrade: h2c\r\nHTTP2-Settings: AA\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := g.raw("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n")
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
			if a := <-got; a.header["Upgrade"] != nil || a.header["Connection"] != nil || a.header["Http2-Settings"] != nil {
				t.Errorf("passed on with %v", a.header)
			}
		})
	}
}

func TestAWebSocketIsATunnel(t *testing.T) {
	u := newRawUpstream(t, func(c *rawConn, r *http.Request, _ int) bool {
		if r.Header.Get("Upgrade") != "WebSocket" || r.Header.Get("Connection") != "Upgrade" {
			c.say("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
			return true
		}
		c.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-Websocket-Accept: x\r\n\r\nhello\n")
		for {
			line, err := c.r.ReadString('\n')
			if err != nil {
				return false
			}
			c.say("echo " + line)
		}
	})
	g := newRigAt(t, u.URL, func(c *settings.Config) { c.MaxInflight = 1 })
	conn := g.dial()
	_, _ = io.WriteString(conn, "GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: x\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-Websocket-Accept") != "x" {
		t.Fatalf("got %v %v", resp, err)
	}
	for _, text := range []string{"", "a\n", "\x00\xff\n"} {
		_, _ = io.WriteString(conn, text)
		want := "echo " + text
		if text == "" {
			want = "hello\n"
		}
		if line, err := r.ReadString('\n'); line != want || err != nil {
			t.Errorf("got %q %v, want %q", line, err, want)
		}
	}
	_ = conn.Close()
	g.works() // the only slot is free again
}

func TestAnUpstreamThatSwitchesToAnotherProtocolIsToldOff(t *testing.T) {
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool {
		c.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: chess\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(io.Discard, c.r) // until the proxy closes it
		return false
	})
	g := newRigAt(t, u.URL, func(c *settings.Config) { c.MaxInflight = 1 })
	resp, body := g.raw("GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if resp.StatusCode != http.StatusBadGateway || errorCode(t, body) != "upstream_broke" {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	g.works()
}

func TestManyStreamsThatAreResetLeaveNothingBehind(t *testing.T) {
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, call int) {
		if r.URL.Path == goodPath {
			good(w, r, call)
			return
		}
		silence(w, r, call)
	}, func(c *settings.Config) { c.Limit.Learn = false })
	conn := g.dial()
	_, _ = io.WriteString(conn, h2Preface)
	w := newH2Wire(conn)
	_ = w.write(h2Frame{kind: frameSettings})
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	for i := range uint32(500) {
		_ = w.headers(2*i+1, flagEndStream, ":method: GET", ":scheme: http", ":authority: localhost", ":path: /v1/models")
		_ = w.reset(2*i+1, codeCancel)
	}
	_ = conn.Close()
	g.works()
	eventually(t, "all requests to end", func() bool { return g.inflight() == 0 })
	if s := g.proxy.gen().Upstreams[0].Gate.Breaker.Snapshot(); s.Failures != 0 {
		t.Errorf("the breaker booked %d failures for callers that left", s.Failures)
	}
}

// eventually waits for what happens on other goroutines and real sockets.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !condition() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

// A body for which there is no room: a create's is passed on as it comes, once; all
// else is told to come back.
func TestABodyThatCannotBeKeptIsPassedOnOnce(t *testing.T) {
	noRoom := func(c *settings.Config) {
		c.Bodies.MemoryMax, c.Bodies.SpoolMax, c.Limit.Learn = 64<<10, 0, false
	}
	text := strings.Repeat("0123456789abcdef", 64<<10)
	tests := map[string]struct {
		upstream script
		status   int
	}{
		"and carried out": {func(w http.ResponseWriter, r *http.Request, n int) {
			if body, err := io.ReadAll(r.Body); string(body) != text || err != nil {
				t.Errorf("%d bytes arrived, %v", len(body), err)
			}
			fine(w, r, n)
		}, 200},
		"and refused": {apiError(503), 503},
		"and refused before it ended": {func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("Connection", "close")
			w.WriteHeader(413)
		}, 413},
		"and lost":                     {hangUp, 424},
		"and lost before it was there": {func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) }, 502}, // nobody carries out a part
	}
	for name, tt := range tests {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/chunked=%t", name, chunked), func(t *testing.T) {
				t.Parallel() // each ends with half a second in which net/http lingers
				g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
					if r.URL.Path == goodPath {
						good(w, r, n)
						return
					}
					tt.upstream(w, r, n)
				}, noRoom)
				r := g.request(http.MethodPost, "/v1/files", text)
				if chunked {
					r.ContentLength = -1
				}
				resp, err := g.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != tt.status || g.calls.Load() != 1 {
					t.Errorf("got %d after %d calls, want %d after one", resp.StatusCode, g.calls.Load(), tt.status)
				}
				eventually(t, "the end", func() bool { return g.inflight() == 0 })
				if memory, disk := g.held(); memory != 0 || disk != 0 {
					t.Errorf("%d bytes of memory and %d of disk are held", memory, disk)
				}
				g.works()
				resp, body := g.do(g.request(http.MethodPost, "/v1/chat/completions", text))
				if resp.StatusCode != http.StatusServiceUnavailable || errorCode(t, body) != "spool_full" || g.calls.Load() != 2 {
					t.Errorf("a compute got %d %s", resp.StatusCode, body)
				}
			})
		}
	}
	t.Run("and not sent at all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, fine, noRoom)
			g.behind.Close()
			resp, body := g.do(g.request(http.MethodPost, "/v1/files", text))
			if resp.StatusCode != http.StatusBadGateway || errorCode(t, body) != "upstream_unreachable" || resp.Header.Get("X-Outrigger-Attempts") != "1" {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
		})
	})
}
