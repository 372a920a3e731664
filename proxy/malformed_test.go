package proxy

import (
	"net/http"
	"strings"
	"testing"

	"outrigger/proxy/settings"
)

const (
	doubledCoding = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
	wellFormed    = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)

func TestMalformed_GetsOneRepeatWhereOthersAreAnsweredWell(t *testing.T) {
	say := func(texts ...string) func(c *rawConn, _ *http.Request, call int) bool {
		return func(c *rawConn, _ *http.Request, call int) bool {
			c.say(texts[min(call, len(texts))-1])
			return true
		}
	}
	for name, tt := range map[string]struct {
		script func(c *rawConn, r *http.Request, call int) bool
		status int // of the second request
		calls  int64
	}{
		"once":                      {say(wellFormed, doubledCoding, wellFormed), 200, 3},
		"and no more often":         {say(wellFormed, doubledCoding), 502, 3},
		"not where nothing is well": {say(doubledCoding), 502, 2},
	} {
		t.Run(name, func(t *testing.T) {
			u := newRawUpstream(t, tt.script)
			g := newRigAt(t, u.URL, func(c *settings.Config) { c.Limit.Learn = false })
			g.chat()
			if resp, body := g.chat(); resp.StatusCode != tt.status || u.requests.Load() != tt.calls {
				t.Errorf("got %d %s after %d calls, want %d after %d", resp.StatusCode, body, u.requests.Load(), tt.status, tt.calls)
			}
		})
	}
}

func TestMalformed_ErrorWithAMalformedBodyIsRetriedByItsStatus(t *testing.T) {
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, call int) bool {
		if call < 3 {
			c.say("HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nno luck\r\n")
			return false
		}
		c.say(wellFormed)
		return true
	})
	g := newRigAt(t, u.URL, func(c *settings.Config) { c.Limit.Learn = false })
	if resp, body := g.chat(); resp.StatusCode != http.StatusOK || u.requests.Load() != 3 {
		t.Errorf("got %d %s after %d calls", resp.StatusCode, body, u.requests.Load())
	}
}

func TestMalformed_AnotherUpstreamIsAsked(t *testing.T) {
	u, other := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool { c.say(doubledCoding); return false }),
		newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool { c.say(wellFormed); return true })
	g := newRigAt(t, u.URL, func(c *settings.Config) {
		second := testConfig(t, other.URL).Upstreams[0]
		second.Name = "second"
		c.Upstreams = append(c.Upstreams, second)
	})
	resp, body := g.chat()
	if resp.StatusCode != http.StatusOK || body != "{}" || u.requests.Load() != 1 || other.requests.Load() != 1 {
		t.Errorf("got %d %s after %d and %d calls", resp.StatusCode, body, u.requests.Load(), other.requests.Load())
	}
	resp, body = g.do(g.request(http.MethodPost, "/v1/files", chatBody))
	if resp.StatusCode != http.StatusFailedDependency || !strings.Contains(body, "more than one Transfer-Encoding") || other.requests.Load() != 1 {
		t.Errorf("a create got %d %s after %d calls elsewhere", resp.StatusCode, body, other.requests.Load())
	}
}

func TestMalformed_OpensNoBreaker(t *testing.T) {
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool { c.say(doubledCoding); return false })
	g := newRigAt(t, u.URL, func(c *settings.Config) { c.Breaker.Consecutive = 5 })
	for range 20 {
		if resp, body := g.chat(); resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "more than one Transfer-Encoding") {
			t.Fatalf("got %d %s", resp.StatusCode, body)
		}
	}
}

func TestMalformed_StrayBytesOnAKeptConnectionAreNotTheAnswer(t *testing.T) {
	u := newRawUpstream(t, func(c *rawConn, _ *http.Request, call int) bool {
		if call == 1 { // what the server wrote too much after the answer before
			c.say("stray\r\n")
		}
		c.say(wellFormed)
		return true
	})
	g := newRigAt(t, u.URL, func(c *settings.Config) { c.Limit.Learn = false })
	g.works()
	if resp, body := g.chat(); resp.StatusCode != http.StatusOK || body != "{}" || u.requests.Load() != 2 || u.conns.Load() != 2 {
		t.Errorf("got %d %s after %d calls over %d connections", resp.StatusCode, body, u.requests.Load(), u.conns.Load())
	}
}
