package proxy

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2/hpack"

	"outrigger/proxy/response"
	"outrigger/proxy/settings"
)

// endless writes text again and again until the connection breaks.
func (c *rawConn) endless(text string) {
	text = strings.Repeat(text, 1+(32<<10)/len(text))
	for {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}

func TestAnUpstreamThatAnswersNonsenseIsToldOff(t *testing.T) {
	say := func(text string) func(*rawConn) { return func(c *rawConn) { c.say(text) } }
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	tests := map[string]struct {
		answer func(c *rawConn)
		says   string
		calls  int64
	}{
		"another protocol":           {say("SSH-2.0-OpenSSH_9.6\r\n"), "an HTTP status line", 1},
		"a status that is none":      {say("HTTP/1.1 abc\r\n\r\n"), "no valid status code", 1},
		"a version that is none":     {say("HTTP/x 200 OK\r\n\r\n"), "no valid version", 1},
		"a header that is none":      {say("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), "line of its headers", 1},
		"binary":                     {say("\x00\x01\x02\x03\xff\xfe\r\n\r\n"), "an HTTP status line", 1},
		"two lengths":                {say(head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), "contradict each other", 1},
		"a negative length":          {say(head + "Content-Length: -2\r\n\r\n{}"), "Content-Length is not a number", 1},
		"an unknown transfer coding": {say(head + "Transfer-Encoding: gzip\r\n\r\n{}"), "Transfer-Encoding is not chunked", 1},
		"a chunk that is none":       {say(head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n"), "chunked encoding is malformed", 1},
		"two transfer codings":       {say(head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), "more than one Transfer-Encoding", 1},
		"two in one line":            {say(head + "Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), "Transfer-Encoding is not chunked", 1},
		"an empty length":            {say(head + "Content-Length: \r\n\r\n{}"), "Content-Length is empty", 1},
		"a chunk too large":          {say(head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n{}\r\n"), "chunked encoding is malformed", 1},
		"a chunk without a size":     {say(head + "Transfer-Encoding: chunked\r\n\r\n;x=1\r\n{}\r\n"), "chunked encoding is malformed", 1},
		"HTTP/2":                     {say("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), "it is in HTTP/2", 1},
		"nothing":                    {func(*rawConn) {}, "closed without an answer", 3},
		"a reset":                    {(*rawConn).reset, "connection reset", 3},
		"half a status line":         {say("HTTP/1."), "connection", 3},
		"half its version":           {say("HTT"), "connection", 3},
		"half the headers":           {say("HTTP/1.1 200 OK\r\nContent-"), "connection", 3},
		"headers and no body":        {say(head + "Content-Length: 100\r\n\r\n"), "cut short", 3},
		"less than its length":       {say(head + "Content-Length: 100\r\n\r\n{\"a\":"), "cut short", 3},
		"less than a large length":   {say(head + "Content-Length: 99999\r\n\r\n{\"a\":"), "cut short", 3},
		"chunks without an end":      {say(head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), "cut short", 3},
		"a switch nobody asked for":  {say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), "switches protocols unasked", 1},
		"an endless header":          {func(c *rawConn) { c.say("HTTP/1.1 200 OK\r\n"); c.endless("X-More: and more\r\n") }, "headers are too large", 2},
		"one endless header":         {func(c *rawConn) { c.say("HTTP/1.1 200 OK\r\nX-Long: "); c.endless("xxxxxxxx") }, "headers are too large", 2},
		"endless hints":              {func(c *rawConn) { c.endless("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") }, "headers are too large", 2},
		"an endless status line":     {func(c *rawConn) { c.say("HTTP/1.1 200 "); c.endless("OK OK OK ") }, "headers are too large", 2},
		"trailers that are none":     {say(head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nnonsense\r\n\r\n"), "headers or trailers is malformed", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool { tt.answer(c); return false })
			g := newRigAt(t, u.URL, func(c *settings.Config) { c.Retry.Max, c.Limit.Learn = 2, false })
			resp, body := g.chat()
			if resp.StatusCode != http.StatusBadGateway || errorCode(t, body) != "upstream_broke" || !strings.Contains(body, tt.says) {
				t.Errorf("got %d %s, want upstream_broke that says %q", resp.StatusCode, body, tt.says)
			}
			if got := u.requests.Load(); got != tt.calls || resp.Header.Get("X-Outrigger-Attempts") != fmt.Sprint(tt.calls) {
				t.Errorf("%d calls and %s attempts, want %d", got, resp.Header.Get("X-Outrigger-Attempts"), tt.calls)
			}
			g.works()

			before := u.requests.Load()
			resp, body = g.do(g.request(http.MethodPost, "/v1/files", chatBody))
			if resp.StatusCode != http.StatusFailedDependency || errorCode(t, body) != "upstream_ambiguous" || u.requests.Load() != before+1 {
				t.Errorf("a create got %d %s after %d calls", resp.StatusCode, body, u.requests.Load()-before)
			}
			g.works()
		})
	}
}

func TestAnAnswerThatBreaksOffWhileItIsPassedOnAbortsTheCallersConnection(t *testing.T) {
	for name, answer := range map[string]string{
		"with a length": "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 100\r\n\r\nabc",
		"in chunks":     "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"an error":      "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\nabc",
	} {
		t.Run(name, func(t *testing.T) {
			g := served(t, answer)
			resp, err := g.client.Do(g.request(http.MethodPost, "/v1/audio/speech", chatBody))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); string(body) != "abc" || err == nil {
				t.Errorf("got %q and a clean end", body)
			}
			eventually(t, "the end", func() bool { return g.inflight() == 0 })
		})
	}
}

func TestMoreThanTheLengthIsNotPassedOn(t *testing.T) {
	log.SetOutput(io.Discard) // net/http complains there
	defer log.SetOutput(os.Stderr)
	closed := make(chan bool, 1)
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool {
		c.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
		_, _ = io.Copy(io.Discard, c.r)
		closed <- true // the proxy does not keep such a connection
		return false
	})
	g := newRigAt(t, u.URL)
	for range 20 {
		if resp, body := g.chat(); resp.StatusCode != http.StatusOK || body != "{}" {
			t.Errorf("got %d %q", resp.StatusCode, body)
		}
		<-closed
		g.works()
	}
}

func TestAnEndlessErrorBodyIsGivenUp(t *testing.T) {
	gone := make(chan bool, 100)
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool {
		c.say("HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
		c.endless("8\r\nno luck \r\n")
		gone <- true
		return false
	})
	t.Run("the last one is the caller's, as long as it stays", func(t *testing.T) {
		g := newRigAt(t, u.URL, func(c *settings.Config) { c.Retry.Max = 2 })
		resp, err := g.client.Do(g.request(http.MethodPost, "/v1/chat/completions", chatBody))
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusInternalServerError || resp.Header.Get("X-Outrigger-Attempts") != "3" {
			t.Errorf("got %d %v", resp.StatusCode, resp.Header)
		}
		_, _ = io.CopyN(io.Discard, resp.Body, 1<<20)
		resp.Body.Close()
		for range 3 {
			<-gone
		}
		g.works()
		eventually(t, "the end", func() bool { return g.inflight() == 0 })
	})
	t.Run("and with no budget left there is an error that says so", func(t *testing.T) {
		g := newRigAt(t, u.URL, func(c *settings.Config) {
			c.Retry.Max, c.Retry.Budget, c.Breaker.Consecutive, c.Breaker.Wait = 100, 0, 0, 0
		})
		resp, body := g.chat()
		if resp.StatusCode != http.StatusBadGateway || errorCode(t, body) != "upstream_broke" || !strings.Contains(body, "status 500") {
			t.Errorf("got %d %s", resp.StatusCode, body)
		}
		g.works()
	})
}

func TestALongAnswerThatTellsOfAnErrorIsNotCut(t *testing.T) {
	text := `{"error":{"message":"x","type":"server_error","code":"server_error"},"pad":"` + strings.Repeat("x", 3<<19) + `"}`
	for name, head := range map[string]string{
		"with a length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text), text),
		"in chunks":     fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(text), text),
	} {
		t.Run(name, func(t *testing.T) {
			g := served(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+head)
			if resp, body := g.chat(); body != text {
				t.Errorf("got %d and %d bytes of %d", resp.StatusCode, len(body), len(text))
			}
		})
	}
}

func TestABombIsNotUnpacked(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for range 64 {
		_, _ = w.Write(make([]byte, 1<<20))
	}
	_ = w.Close()
	if packed.Len() > response.HoldError {
		packed.Truncate(response.HoldError - 1000)
	}
	g := served(t, fmt.Sprintf("HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), packed.Bytes()))
	if resp, body := g.chat(); resp.StatusCode != http.StatusInternalServerError || body != packed.String() {
		t.Errorf("got %d and %d bytes", resp.StatusCode, len(body))
	}
}

// hijacked takes the connection from the upstream's server after the request was read.
func hijacked(f func(write func(string) error, done <-chan struct{})) script {
	return func(w http.ResponseWriter, r *http.Request, call int) {
		if r.URL.Path == goodPath {
			good(w, r, call)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		done := make(chan struct{})
		go func() {
			_, _ = conn.Read(make([]byte, 1))
			close(done)
		}()
		f(func(s string) error { _, err := io.WriteString(conn, s); return err }, done)
		_ = conn.Close()
		<-done
	}
}

func TestASlowUpstreamIsWaitedForInBounds(t *testing.T) {
	drip := func(text string, every time.Duration) script {
		return hijacked(func(write func(string) error, done <-chan struct{}) {
			for i := range text {
				timer := time.NewTimer(every)
				select {
				case <-timer.C:
				case <-done:
					timer.Stop()
					return
				}
				if write(text[i:i+1]) != nil {
					return
				}
			}
			<-done
		})
	}
	const ok = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\nok"
	tests := map[string]struct {
		script script
		edit   func(*settings.Config)
		status int
		code   string
		calls  int64
		after  time.Duration
	}{
		"headers byte by byte, in time":     {drip(ok, time.Second), nil, 200, "", 1, time.Duration(len(ok)-2) * time.Second},
		"headers byte by byte, too slow":    {drip(ok, time.Second), func(c *settings.Config) { c.Timeouts.Attempt, c.Retry.Max = 10*time.Second, 1 }, 200, "", 2, 10*time.Second + time.Duration(len(ok)-2)*time.Second},
		"headers that never end":            {drip("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 10_000), time.Second), func(c *settings.Config) { c.Timeouts.Total = time.Minute }, 504, "upstream_timeout", 1, 59 * time.Second},
		"an error that falls silent":        {drip("HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\n\n", time.Millisecond), nil, 400, "", 1, response.HoldTime},
		"a JSON answer that falls silent":   {drip("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n{", time.Millisecond), nil, 200, "", 1, response.HoldTime},
		"a short one that falls silent too": {drip("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{", time.Millisecond), func(c *settings.Config) { c.Timeouts.StreamIdle, c.Retry.Max = time.Minute, 0 }, 504, "upstream_timeout", 1, time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
					tt.script(w, r, call)
				}, func(c *settings.Config) {
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				start := time.Now()
				resp, err := g.client.Do(g.request(http.MethodPost, "/v1/chat/completions", chatBody))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				took := time.Since(start).Round(time.Second)
				if tt.status != 0 && resp.StatusCode != tt.status || took != tt.after.Round(time.Second) || g.calls.Load() != tt.calls {
					t.Errorf("got %d after %s and %d calls, want %d after %s and %d", resp.StatusCode, took, g.calls.Load(), tt.status, tt.after, tt.calls)
				}
				if tt.code != "" {
					body, _ := io.ReadAll(resp.Body)
					if errorCode(t, string(body)) != tt.code {
						t.Errorf("got %s", body)
					}
				}
				g.works()
			})
		})
	}
}

// An upstream that closes kept connections under us: nothing is sent twice that
// may have been carried out, and nothing fails that need not.
func TestConnectionsThatAreClosedUnderUs(t *testing.T) {
	tests := map[string]struct {
		method, path string
		closes       string // "after": when it has read the second request; "idle": right after the first answer
		status       int
		calls        int64 // upstream, for two requests
	}{
		"GET, read and closed":        {http.MethodGet, "/v1/models", "after", 200, 3},
		"a compute, read and closed":  {http.MethodPost, "/v1/chat/completions", "after", 200, 3},
		"a delete, read and closed":   {http.MethodDelete, "/v1/files/f", "after", 200, 3},
		"a create, read and closed":   {http.MethodPost, "/v1/files", "after", 200, 2}, // each on a fresh connection
		"GET, closed when idle":       {http.MethodGet, "/v1/models", "idle", 200, 2},
		"a compute, closed when idle": {http.MethodPost, "/v1/chat/completions", "idle", 200, 2},
		"a create, closed when idle":  {http.MethodPost, "/v1/files", "idle", 200, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			served := map[int]int{} // calls by connection
			u := newRawUpstream(t, func(c *rawConn, _ *http.Request, call int) bool {
				mu.Lock()
				defer mu.Unlock()
				served[c.n]++
				if tt.closes == "after" && served[c.n] == 2 {
					return false
				}
				c.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				return tt.closes == "after"
			})
			g := newRigAt(t, u.URL, func(c *settings.Config) { c.Limit.Learn = false })
			for i := range 2 {
				body := ""
				if tt.method == http.MethodPost {
					body = chatBody
				}
				resp, text := g.do(g.request(tt.method, tt.path, body))
				if resp.StatusCode != tt.status || text != "ok" {
					t.Errorf("request %d got %d %q", i+1, resp.StatusCode, text)
				}
			}
			if got := u.requests.Load(); got != tt.calls {
				t.Errorf("%d requests were read upstream, want %d", got, tt.calls)
			}
		})
	}
}

func TestOneAttemptIsOneRequestAlsoOverHTTP2(t *testing.T) {
	reset := func(code uint32) func(*h2Wire, uint32, int) {
		return func(w *h2Wire, stream uint32, _ int) { _ = w.reset(stream, code) }
	}
	goAway := func(last func(stream uint32) uint32, code uint32) func(*h2Wire, uint32, int) {
		return func(w *h2Wire, stream uint32, _ int) {
			_ = w.goAway(last(stream), code)
			_ = w.ReadWriter.(io.Closer).Close()
		}
	}
	none := func(uint32) uint32 { return 0 }
	this := func(stream uint32) uint32 { return stream }
	type outcome struct {
		status int
		code   string
		calls  int64
	}
	again := outcome{502, "upstream_broke", 3}
	unsure := outcome{424, "upstream_ambiguous", 1}
	tests := map[string]struct {
		script          func(*h2Wire, uint32, int)
		compute, create outcome
		bare            outcome // a create without a body, which net/http would send again by itself
	}{
		"REFUSED_STREAM":                  {reset(codeRefused), again, again, unsure},
		"PROTOCOL_ERROR":                  {reset(codeProtocol), again, unsure, unsure},
		"INTERNAL_ERROR":                  {reset(codeInternal), again, unsure, unsure},
		"CANCEL":                          {reset(codeCancel), again, unsure, unsure},
		"ENHANCE_YOUR_CALM":               {reset(codeCalm), again, unsure, unsure},
		"NO_ERROR":                        {reset(codeNone), again, unsure, unsure},
		"GOAWAY before it":                {goAway(none, codeNone), again, again, unsure},
		"GOAWAY before it, with an error": {goAway(none, codeCalm), again, again, unsure},
		"GOAWAY after it":                 {goAway(this, codeNone), again, unsure, unsure},
		"GOAWAY after it, with an error":  {goAway(this, codeInternal), again, unsure, unsure},
		"a closed connection":             {func(w *h2Wire, _ uint32, _ int) { _ = w.ReadWriter.(io.Closer).Close() }, again, unsure, unsure},
		"a frame that is none":            {func(w *h2Wire, _ uint32, _ int) { _, _ = io.WriteString(w, "HTTP/1.1 400 Bad Request\r\n\r\n") }, again, unsure, unsure},
		"headers without end":             {func(w *h2Wire, s uint32, _ int) { w.flood(s, 300, 4000) }, again, unsure, unsure},
		"headers that are too large":      {func(w *h2Wire, s uint32, _ int) { w.flood(s, 64, 9000) }, outcome{502, "upstream_broke", 2}, unsure, unsure},
	}
	for name, tt := range tests {
		for kind, c := range map[string]struct {
			path, body string
			want       outcome
		}{
			"compute":     {"/v1/chat/completions", chatBody, tt.compute},
			"create":      {"/v1/files", chatBody, tt.create},
			"bare create": {"/v1/conversations", "", tt.bare},
		} {
			for _, early := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/early=%t", name, kind, early), func(t *testing.T) {
					g, u := newH2Upstream(t, early, tt.script, func(c *settings.Config) { c.Retry.Max, c.Limit.Learn = 2, false })
					g.works() // from now on HTTP/2 is known
					resp, body := g.do(g.request(http.MethodPost, c.path, c.body))
					got := outcome{resp.StatusCode, errorCode(t, body), u.begun.Load()}
					if got != c.want {
						t.Errorf("got %v, want %v: %s", got, c.want, body)
					}
					if attempts := resp.Header.Get("X-Outrigger-Attempts"); attempts != fmt.Sprint(got.calls) {
						t.Errorf("%s attempts made %d requests", attempts, got.calls)
					}
					g.works()
				})
			}
		}
	}
}

// flood sends n headers of 4 KB and one of last bytes, each in a frame of its own.
func (w *h2Wire) flood(stream uint32, n, last int) {
	w.block.Reset()
	_ = w.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	kind, flags := byte(frameHeaders), byte(flagEndStream)
	for i := range n + 1 {
		size := 4000
		if i == n {
			size = last
		}
		_ = w.encoder.WriteField(hpack.HeaderField{Name: fmt.Sprintf("x-%d", i), Value: strings.Repeat("x", size)})
		if w.write(h2Frame{kind, flags, stream, w.block.Next(w.block.Len())}) != nil {
			return
		}
		kind, flags = frameContinuation, 0
	}
	_ = w.write(h2Frame{frameContinuation, flagEndHeaders, stream, nil})
}
