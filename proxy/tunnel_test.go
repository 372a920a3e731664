package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"outrigger/policy"
	"outrigger/proxy/settings"
	proxywire "outrigger/proxy/wire"
	"outrigger/proxy/wsframe"
)

const (
	wsRequest = "GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
	wsAnswer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n\r\n"
)

// wsUpstream accepts WebSockets with a library that is not Outrigger's, and gives
// each to converse.
func wsUpstream(t *testing.T, compression websocket.CompressionMode, converse func(ctx context.Context, c *websocket.Conn)) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if r.URL.Path == goodPath {
			good(w, r, n)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: compression, Subprotocols: []string{"realtime"}})
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		converse(r.Context(), c)
	}
}

// echo sends back what comes.
func echo(ctx context.Context, c *websocket.Conn) {
	for {
		kind, text, err := c.Read(ctx)
		if err != nil {
			return
		}
		if err := c.Write(ctx, kind, text); err != nil {
			return
		}
	}
}

// connect opens a WebSocket through the proxy.
func connect(t *testing.T, client *http.Client, url string, o websocket.DialOptions) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	o.HTTPClient = client
	c, resp, err := websocket.Dial(ctx, url+"/v1/realtime?model=gpt-realtime", &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	if resp.Header.Get(proxywire.HeaderAttempts) == "" || resp.Header.Get(proxywire.HeaderID) == "" {
		t.Errorf("the answer has the headers %v", resp.Header)
	}
	c.SetReadLimit(-1)
	return c
}

// requestLine waits for the log line of the one WebSocket that ended.
func (g *rig) requestLine() string {
	g.t.Helper()
	find := func() string {
		for line := range strings.Lines(g.log.String()) {
			if strings.Contains(line, `"msg":"request"`) && strings.Contains(line, "/v1/realtime") {
				return line
			}
		}
		return ""
	}
	eventually(g.t, "the log line", func() bool { return find() != "" })
	return find()
}

func TestAWebSocketConversationPassesBothWays(t *testing.T) {
	random := make([]byte, 5<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for name, tls := range map[string]struct{ front, back bool }{"plain": {}, "TLS": {true, true}, "TLS upstream": {false, true}} {
		for _, compression := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionContextTakeover} {
			t.Run(fmt.Sprintf("%s/compression=%d", name, compression), func(t *testing.T) {
				g := wsRig(t, tls.back, wsUpstream(t, compression, echo))
				client, url := g.client, g.url
				if tls.front {
					front := httptest.NewUnstartedServer(g.proxy)
					front.EnableHTTP2 = true
					front.StartTLS()
					t.Cleanup(front.Close)
					client, url = front.Client(), front.URL
				}
				c := connect(t, client, url, websocket.DialOptions{CompressionMode: compression, Subprotocols: []string{"realtime"}})
				if c.Subprotocol() != "realtime" {
					t.Errorf("subprotocol %q", c.Subprotocol())
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				total := 0
				for _, message := range [][]byte{[]byte("hello"), {}, random[:125], random[:126], random[:0xffff], random[:0x10000], random} {
					go func() { _ = c.Write(ctx, websocket.MessageBinary, message) }()
					kind, got, err := c.Read(ctx)
					if err != nil || kind != websocket.MessageBinary || !bytes.Equal(got, message) {
						t.Fatalf("%d bytes came back as %d, %v", len(message), len(got), err)
					}
					total += len(message)
				}
				reading := c.CloseRead(ctx)
				if err := c.Ping(ctx); err != nil {
					t.Errorf("no pong: %v", err)
				}
				if err := c.Close(4000, "enough"); err != nil {
					t.Errorf("closing: %v", err)
				}
				<-reading.Done()
				line := g.requestLine()
				for _, want := range []string{`"status":101`, `"outcome":"completed"`, `"close_code":4000`, `"model":"gpt-realtime"`} {
					if !strings.Contains(line, want) {
						t.Errorf("the log lacks %s: %s", want, line)
					}
				}
				var in, out int
				_, counts, _ := strings.Cut(line, `"bytes_in":`)
				_, _ = fmt.Sscanf(counts, `%d,"bytes_out":%d`, &in, &out)
				if in < total || out < total || in > total+total/100+200 || out > total+total/100+200 {
					t.Errorf("%d bytes in and %d out, of %d and the heads of frames", in, out, total)
				}
				g.ended(`outrigger_streams_ended_total{outcome="completed",upstream="openai"} 1`)
			})
		}
	}
}

// ended checks that nothing is open any more, and that the metrics have want.
func (g *rig) ended(want string) {
	g.t.Helper()
	eventually(g.t, "all to end", func() bool { return g.inflight() == 0 })
	if text := g.metricsText(); !strings.Contains(text, want) || !strings.Contains(text, "outrigger_streams_open 0") {
		g.t.Errorf("the metrics lack %s, or a stream is open", want)
	}
	g.works()
}

// wsRig is a rig whose upstream speaks TLS, and HTTP/2 where that is asked for, or neither.
func wsRig(t *testing.T, secure bool, s script, edits ...func(*settings.Config)) *rig {
	t.Helper()
	edits = append([]func(*settings.Config){func(c *settings.Config) { c.MaxInflight = 1 }}, edits...)
	if !secure {
		return newRig(t, s, edits...)
	}
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s(w, r, 1) }))
	upstream.EnableHTTP2 = true
	upstream.StartTLS()
	t.Cleanup(func() {
		upstream.CloseClientConnections()
		upstream.Close()
	})
	g := newRigAt(t, upstream.URL, edits...)
	roots := upstream.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for _, transport := range []http.RoundTripper{g.proxy.gen().Upstreams[0].Pooled, g.proxy.gen().Upstreams[0].Fresh} {
		transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return g
}

func TestTheUpstreamsCloseReachesTheCaller(t *testing.T) {
	for code, want := range map[websocket.StatusCode]string{
		1000: "completed", 1001: "completed", 3000: "completed", 4999: "completed", 1008: "failed", 1011: "failed", 1013: "failed",
	} {
		t.Run(fmt.Sprint(int(code)), func(t *testing.T) {
			g := wsRig(t, false, wsUpstream(t, 0, func(ctx context.Context, c *websocket.Conn) {
				_ = c.Write(ctx, websocket.MessageText, []byte("last"))
				_ = c.Close(code, "because")
			}))
			c := connect(t, g.client, g.url, websocket.DialOptions{})
			if _, text, err := c.Read(t.Context()); string(text) != "last" || err != nil {
				t.Errorf("got %q %v", text, err)
			}
			_, _, err := c.Read(t.Context())
			var closed websocket.CloseError
			if !errors.As(err, &closed) || closed.Code != code || closed.Reason != "because" {
				t.Errorf("closed with %v", err)
			}
			if line := g.requestLine(); !strings.Contains(line, fmt.Sprintf(`"outcome":%q`, want)) || !strings.Contains(line, fmt.Sprintf(`"close_code":%d`, code)) {
				t.Errorf("the log says %s", line)
			}
			g.ended(fmt.Sprintf(`outrigger_streams_ended_total{outcome=%q,upstream="openai"} 1`, want))
			failures := g.proxy.gen().Upstreams[0].Gate.Breaker.Snapshot().Failures
			if wanted := code == 1011 || code == 1013; (failures > 0) != wanted {
				t.Errorf("the breaker counted %d failures", failures)
			}
		})
	}
}

// rawTunnel opens a tunnel to an upstream that a test scripts byte for byte.
func rawTunnel(t *testing.T, script func(c *rawConn), edits ...func(*settings.Config)) (*rig, *net.TCPConn, *bufio.Reader) {
	t.Helper()
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool {
		c.say(wsAnswer)
		script(c)
		return false
	})
	g := newRigAt(t, u.URL, append([]func(*settings.Config){func(c *settings.Config) { c.MaxInflight = 1 }}, edits...)...)
	conn := g.dial().(*net.TCPConn)
	_, _ = io.WriteString(conn, wsRequest)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v %v", resp, err)
	}
	return g, conn, r
}

func TestEachHalfOfATunnelEndsByItself(t *testing.T) {
	t.Run("the caller's first", func(t *testing.T) {
		g, conn, r := rawTunnel(t, func(c *rawConn) {
			all, err := io.ReadAll(c.r)
			c.say(fmt.Sprintf("got %q %v and then ", all, err))
			c.say(strings.Repeat("more", 100_000))
		})
		_, _ = io.WriteString(conn, "words")
		_ = conn.CloseWrite()
		all, err := io.ReadAll(r)
		if want := `got "words" <nil> and then ` + strings.Repeat("more", 100_000); string(all) != want || err != nil {
			t.Errorf("got %.50q, %d bytes, %v", all, len(all), err)
		}
		g.ended(`outcome="canceled"`)
	})
	t.Run("the upstream's first", func(t *testing.T) {
		got := make(chan string, 1)
		g, conn, r := rawTunnel(t, func(c *rawConn) {
			c.say("words")
			_ = c.Conn.(*net.TCPConn).CloseWrite()
			all, _ := io.ReadAll(c.r)
			got <- string(all)
		})
		if all, err := io.ReadAll(r); string(all) != "words" || err != nil {
			t.Errorf("got %q %v", all, err)
		}
		_, _ = io.WriteString(conn, "still here")
		_ = conn.Close()
		if text := <-got; text != "still here" {
			t.Errorf("the upstream got %q", text)
		}
		g.ended(`outrigger_streams_ended_total{outcome="completed",upstream="openai"} 1`) // no frames: it ends as it does
	})
	t.Run("and silence ends the other", func(t *testing.T) {
		g, conn, _ := rawTunnel(t, func(c *rawConn) { _, _ = io.Copy(io.Discard, c.r); <-t.Context().Done() },
			func(c *settings.Config) { c.Timeouts.StreamIdle = time.Second })
		_ = conn.CloseWrite()
		g.ended(`outcome="canceled"`)
	})
}

// What an upstream says last arrives even though the caller is still sending to a
// connection that is reset by then: as much as had left the upstream's machine.
func TestLastWordsPassACallerThatIsStillSending(t *testing.T) {
	last := append(bytes.Repeat([]byte{0x82, 4, 1, 2, 3, 4}, 3000), wsframe.Close(4001, "too much audio")...)
	for range 50 { // httputil.ReverseProxy loses them in one of ten
		g, conn, r := rawTunnel(t, func(c *rawConn) {
			_, _ = io.CopyN(io.Discard, c.r, 100_000)
			_, _ = c.Write(last)
			_ = c.Close() // with bytes unread: a reset
		})
		go func() {
			audio := make([]byte, 64<<10)
			for {
				if _, err := conn.Write(audio); err != nil {
					return
				}
			}
		}()
		got, _ := io.ReadAll(io.LimitReader(r, int64(len(last))))
		_ = conn.Close()
		if line := g.requestLine(); !bytes.Equal(got, last) || !strings.Contains(line, `"outcome":"completed"`) || !strings.Contains(line, `"close_code":4001`) {
			t.Fatalf("%d of %d bytes arrived; the log says %s", len(got), len(last), line)
		}
	}
}

// And the other way round.
func TestACallersLastWordsPassAnUpstreamThatIsStillSending(t *testing.T) {
	last := append(bytes.Repeat([]byte{0x82, 0x84, 0, 0, 0, 0, 1, 2, 3, 4}, 3000), 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8)
	for range 50 {
		got := make(chan []byte, 1)
		g, conn, r := rawTunnel(t, func(c *rawConn) {
			go func() {
				speech := make([]byte, 64<<10)
				for {
					if _, err := c.Write(speech); err != nil {
						return
					}
				}
			}()
			all, _ := io.ReadAll(c.r)
			got <- all
		})
		_, _ = io.CopyN(io.Discard, r, 100_000)
		_, _ = conn.Write(last)
		_ = conn.Close() // with bytes unread: a reset
		if all := <-got; !bytes.Equal(all, last) {
			t.Fatalf("%d of %d bytes arrived", len(all), len(last))
		}
		if line := g.requestLine(); !strings.Contains(line, `"outcome":"completed"`) || !strings.Contains(line, `"close_code":1000`) {
			t.Fatalf("the log says %s", line)
		}
	}
}

// What a caller sends without waiting for the answer is not lost.
func TestWhatComesWithTheUpgradeIsPassedOn(t *testing.T) {
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool {
		c.say(wsAnswer)
		_, _ = io.Copy(c, c.r)
		return false
	})
	g := newRigAt(t, u.URL)
	conn := g.dial().(*net.TCPConn)
	_, _ = io.WriteString(conn, wsRequest+"early ")
	r := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("got %v %v", resp, err)
	}
	_, _ = io.WriteString(conn, "and late")
	_ = conn.CloseWrite()
	if all, err := io.ReadAll(r); string(all) != "early and late" || err != nil {
		t.Errorf("got %q %v", all, err)
	}
}

func TestALostSideOfATunnelEndsTheOther(t *testing.T) {
	t.Run("the caller", func(t *testing.T) {
		left := make(chan struct{})
		g, conn, _ := rawTunnel(t, func(c *rawConn) {
			defer close(left)
			_, _ = io.Copy(io.Discard, c.r)
		})
		_ = conn.SetLinger(0) // a reset
		_ = conn.Close()
		<-left
		if line := g.requestLine(); !strings.Contains(line, `"outcome":"canceled"`) || strings.Contains(line, "close_code") {
			t.Errorf("the log says %s", line)
		}
		g.ended(`outrigger_streams_ended_total{outcome="canceled",upstream="openai"} 1`)
	})
	t.Run("the upstream", func(t *testing.T) {
		g, conn, r := rawTunnel(t, func(c *rawConn) {
			c.say("\x82\x04\x01\x02\x03\x04\x82\x04\x01") // and half a frame
			_, _ = c.r.ReadByte()
			c.reset()
		})
		first := make([]byte, 9)
		if _, err := io.ReadFull(r, first); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte("x"))
		if rest, _ := io.ReadAll(r); len(rest) > 0 {
			t.Errorf("then came %q", rest)
		}
		if line := g.requestLine(); !strings.Contains(line, `"outcome":"interrupted"`) {
			t.Errorf("the log says %s", line)
		}
		g.ended(`outrigger_streams_ended_total{outcome="interrupted",upstream="openai"} 1`)
		if n := g.proxy.gen().Upstreams[0].Gate.Breaker.Snapshot().Failures; n != 1 {
			t.Errorf("the breaker counted %d failures", n)
		}
	})
}

// A drain tells the caller by a Close frame, put between two of the upstream's; in
// the middle of one it waits for its end, and for half a second at most.
func TestADrainClosesAWebSocket(t *testing.T) {
	said := wsframe.Close(wsframe.ServiceRestart, "Outrigger is shutting down")
	tests := map[string]struct {
		before, after string // of the upstream's words, the drain's begin
		want          string
	}{
		"in silence":        {"", "", string(said)},
		"between frames":    {"\x81\x02hi", "", "\x81\x02hi" + string(said)},
		"between fragments": {"\x01\x02hi", "\x80\x00", "\x01\x02hi" + string(said)},
		"inside a frame":    {"\x81\x04hi", "ho\x81\x02no", "\x81\x04hiho" + string(said)},
		"inside for long":   {"\x81\x04hi", "", "\x81\x04hi"},
		"after a Close":     {string(wsframe.Close(1000, "")), "", string(wsframe.Close(1000, ""))},
		"in another tongue": {"hello\n", "", "hello\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := make(chan string)
				g := newBubble(t, hijackedTunnel(v))
				conn := g.dial()
				_ = conn.SetDeadline(time.Time{})
				_, _ = io.WriteString(conn, wsRequest)
				r := bufio.NewReader(conn)
				if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 101 {
					t.Fatalf("got %v %v", resp, err)
				}
				got := make(chan string, 1)
				go func() {
					all, _ := io.ReadAll(r)
					got <- string(all)
				}()
				v <- tt.before
				synctest.Wait()
				start := time.Now()
				g.proxy.Cancel(errors.New("stop"))
				synctest.Wait()
				select {
				case v <- tt.after:
				default:
				}
				if text := <-got; text != tt.want {
					t.Errorf("the caller got %q, want %q", text, tt.want)
				}
				if took := time.Since(start); took > 500*time.Millisecond { // tunnel.partingTime
					t.Errorf("ended after %s", took)
				}
				synctest.Wait()
				if line := g.requestLine(); !strings.Contains(line, `"outcome":"interrupted"`) || g.proxy.gen().Upstreams[0].Gate.Breaker.Snapshot().Failures != 0 {
					t.Errorf("the log says %s", line)
				}
				close(v)
			})
		})
	}
}

// hijackedTunnel is an upstream that switches and then says what it is given.
func hijackedTunnel(words <-chan string) script {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, wsAnswer)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = io.Copy(io.Discard, conn)
		}()
		for {
			select {
			case text, ok := <-words:
				if !ok {
					return
				}
				_, _ = io.WriteString(conn, text)
			case <-gone:
				return
			}
		}
	}
}

// Both sides of a conversation may rightly be silent. A side that takes nothing may not.
func TestASilentTunnelStaysAndAStalledOneEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := make(chan string)
		g := newBubble(t, hijackedTunnel(v), func(c *settings.Config) { c.Timeouts.StreamIdle = time.Minute })
		conn := g.dial()
		_ = conn.SetDeadline(time.Time{})
		_, _ = io.WriteString(conn, wsRequest)
		r := bufio.NewReader(conn)
		if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 101 {
			t.Fatalf("got %v %v", resp, err)
		}
		for range 3 {
			time.Sleep(time.Hour) // the bubble's clock
			v <- "\x81\x02hi"
			if got, err := r.Peek(4); string(got) != "\x81\x02hi" || err != nil {
				t.Fatalf("got %q %v", got, err)
			}
			_, _ = r.Discard(4)
			time.Sleep(time.Hour)
			_, _ = conn.Write([]byte("\x89\x80\x00\x00\x00\x00"))
		}
		synctest.Wait()
		start := time.Now()
		go func() { v <- "\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x00" + strings.Repeat("x", 1<<20) }()
		for g.inflight() > 0 {
			time.Sleep(time.Second)
		}
		if took := time.Since(start); took < time.Minute || took > 62*time.Second {
			t.Errorf("the stalled caller's tunnel ended after %s", took)
		}
		if line := g.requestLine(); !strings.Contains(line, `"outcome":"canceled"`) {
			t.Errorf("the log says %s", line)
		}
		close(v)
	})
}

// A refused upgrade is an answer like any other.
func TestARefusedUpgradeIsJudgedLikeAnyAnswer(t *testing.T) {
	const rate = `{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}`
	const dead = `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`
	tests := map[string]struct {
		first  script
		status int // in the end
		calls  int64
		source string
	}{
		"for its rate":        {answers(429, rate, "Retry-After", "1"), 101, 2, "upstream"},
		"by an overload":      {answers(503, `{"error":{"message":"busy","type":"server_error"}}`), 101, 2, "upstream"},
		"with a lost answer":  {hangUp, 101, 2, "upstream"},
		"for its key":         {answers(401, dead), 401, 1, "upstream"},
		"for its permissions": {answers(403, `{"error":{"message":"no","type":"permission_error"}}`), 403, 1, "upstream"},
		"for its protocol":    {answers(426, "{}", "Upgrade", "websocket"), 426, 1, "upstream"},
		"by being no socket":  {answers(200, `{"object":"list"}`), 200, 1, "upstream"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := make(chan string)
				tunnelled := hijackedTunnel(v)
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					if n == 1 {
						tt.first(w, r, n)
						return
					}
					tunnelled(w, r, n)
				})
				conn := g.dial()
				_ = conn.SetDeadline(time.Time{})
				_, _ = io.WriteString(conn, wsRequest)
				r := bufio.NewReader(conn)
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != tt.status || g.calls.Load() != tt.calls || resp.Header.Get(proxywire.HeaderSource) != tt.source ||
					resp.Header.Get(proxywire.HeaderAttempts) != fmt.Sprint(tt.calls) {
					t.Errorf("got %d after %d calls: %v", resp.StatusCode, g.calls.Load(), resp.Header)
				}
				if resp.StatusCode != 101 {
					if body, err := io.ReadAll(resp.Body); len(body) == 0 || err != nil {
						t.Errorf("the answer's body is %q, %v", body, err)
					}
				}
				_ = conn.Close()
				synctest.Wait()
				if g.inflight() != 0 {
					t.Error("it goes on")
				}
				close(v)
			})
		})
	}
}

// One key's refusal is not that of another one that a browser sends in its subprotocols.
func TestABrowsersKeysAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(401, `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`))
		ask := func(key string) string {
			resp, _ := g.raw(strings.Replace(wsRequest, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: realtime, openai-insecure-api-key."+key+"\r\n\r\n", 1))
			return resp.Header.Get(proxywire.HeaderSource)
		}
		if got := []string{ask("a"), ask("a"), ask("b")}; fmt.Sprint(got) != "[upstream tripped upstream]" {
			t.Errorf("answered from %v", got)
		}
	})
}

// The upgrade's answer is a success for the breaker, and the slot is the tunnel's to its end.
func TestATunnelHoldsItsSlotAndNotTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := make(chan string)
		tunnelled := hijackedTunnel(v)
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				apiError(500)(w, r, n)
				return
			}
			tunnelled(w, r, n)
		}, func(c *settings.Config) {
			c.MaxInflight, c.Retry.Max, c.Breaker.Consecutive, c.Breaker.Open = 1, 0, 1, time.Second
		})
		g.chat()
		up := g.proxy.gen().Upstreams[0]
		if up.Gate.Breaker.State() != policy.Open {
			t.Fatal("the breaker did not open")
		}
		dial := func() net.Conn {
			conn := g.dial()
			_ = conn.SetDeadline(time.Time{})
			// Of the credential that failed: another would find out for itself.
			_, _ = io.WriteString(conn, strings.Replace(wsRequest, "Connection:", "Authorization: Bearer sk-test\r\nConnection:", 1))
			return conn
		}
		first := dial()
		if resp, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || resp.StatusCode != 101 {
			t.Fatalf("got %v %v", resp, err)
		}
		if up.Gate.Breaker.State() != policy.Closed {
			t.Error("the breaker waits for the tunnel's end")
		}
		second := dial()
		time.Sleep(time.Minute) // the bubble's clock
		if g.calls.Load() != 2 || g.inflight() != 2 {
			t.Errorf("%d calls, %d in flight: the slot was not the tunnel's", g.calls.Load(), g.inflight())
		}
		_ = first.Close()
		if resp, err := http.ReadResponse(bufio.NewReader(second), nil); err != nil || resp.StatusCode != 101 {
			t.Fatalf("got %v %v", resp, err)
		}
		_ = second.Close()
		close(v)
		synctest.Wait()
	})
}

// net/http has no extended CONNECT (RFC 8441): HTTP/2 has no WebSockets here, and says so.
func TestAWebSocketOverHTTP2FailsClearly(t *testing.T) {
	g := newRig(t, good)
	tests := map[string][]string{
		"an extended CONNECT":  {":method: CONNECT", ":protocol: websocket", ":scheme: http", ":authority: localhost", ":path: /v1/realtime", "sec-websocket-version: 13"},
		"a plain CONNECT":      {":method: CONNECT", ":authority: localhost"},
		"an HTTP/1.1 upgrade":  {":method: GET", ":scheme: http", ":authority: localhost", ":path: /v1/realtime", "connection: Upgrade", "upgrade: websocket"},
		"an upgrade by itself": {":method: GET", ":scheme: http", ":authority: localhost", ":path: /v1/realtime", "upgrade: websocket"},
	}
	for name, lines := range tests {
		t.Run(name, func(t *testing.T) {
			before := g.calls.Load()
			conn := g.dial()
			_, _ = io.WriteString(conn, h2Preface)
			w := newH2Wire(conn)
			_ = w.write(h2Frame{kind: frameSettings})
			_ = w.headers(1, 0, lines...)
			answer := ""
			for answer == "" {
				f, err := w.read()
				if err != nil {
					t.Fatal(err)
				}
				switch f.kind {
				case frameHeaders:
					answer = w.fields(f)[":status"]
				case frameReset, frameGoAway:
					answer = "reset"
				}
			}
			if answer != "400" && answer != "reset" || g.calls.Load() != before {
				t.Errorf("got %s, %d calls went upstream", answer, g.calls.Load()-before)
			}
		})
	}
	g.works()
}
