package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/observe"
	"outrigger/proxy/response"
	"outrigger/proxy/settings"
	proxywire "outrigger/proxy/wire"
)

// A head that is none is the upstream's failure, and not a panic of Outrigger's: a create is ambiguous then, and no reset.
func TestAHeadThatIsNoneIsAFailure(t *testing.T) {
	const over1 = "Content-Length: 2\r\n\r\n{}"
	for name, tt := range map[string]struct{ head, says string }{
		"a status of 0":     {"HTTP/1.1 000 None\r\n" + over1, "none of HTTP's"},
		"a status of 42":    {"HTTP/1.1 042 None\r\n" + over1, "none of HTTP's"},
		"a status of 99":    {"HTTP/1.1 099 None\r\n" + over1, "none of HTTP's"},
		"a negative status": {"HTTP/1.1 -10 None\r\n" + over1, "status"},
		"four digits":       {"HTTP/1.1 1000 None\r\n" + over1, "status"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newRawUpstream(t, func(c *rawConn, _ *http.Request, _ int) bool { c.say(tt.head); return false })
			g := newRigAt(t, u.URL, func(c *settings.Config) { c.Limit.Learn = false })
			g.isMalformed(tt.says)
		})
	}
	for name, tt := range map[string]struct {
		says  string
		lines []string
	}{
		"over HTTP/2: a status of 99":        {"none of HTTP's", []string{":status: 99"}},
		"over HTTP/2: a status of 0":         {"none of HTTP's", []string{":status: 0"}},
		"over HTTP/2: a status of 1000":      {"none of HTTP's", []string{":status: 1000"}},
		"over HTTP/2: a status of 99999999":  {"none of HTTP's", []string{":status: 99999999"}},
		"over HTTP/2: a negative status":     {"none of HTTP's", []string{":status: -200"}},
		"over HTTP/2: two lengths":           {"contradict each other", []string{":status: 200", "content-length: 2", "content-length: 3"}},
		"over HTTP/2: a length that is none": {"not a number", []string{":status: 200", "content-length: two"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, _ := newH2Upstream(t, false, func(w *h2Wire, stream uint32, _ int) {
				_ = w.headers(stream, 0, tt.lines...)
				_ = w.write(h2Frame{frameData, flagEndStream, stream, []byte("{}")})
			}, func(c *settings.Config) { c.Limit.Learn = false })
			g.works()
			g.isMalformed(tt.says)
		})
	}
}

// isMalformed shows what a compute and a create get, and that others are served.
func (g *rig) isMalformed(says string) {
	g.t.Helper()
	if resp, body := g.chat(); resp.StatusCode != http.StatusBadGateway || errorCode(g.t, body) != "upstream_broke" || !strings.Contains(body, says) {
		g.t.Errorf("got %d %s, want one that says %q", resp.StatusCode, body, says)
	}
	if resp, body := g.do(g.request(http.MethodPost, "/v1/files", chatBody)); resp.StatusCode != http.StatusFailedDependency || errorCode(g.t, body) != "upstream_ambiguous" {
		g.t.Errorf("a create got %d %s", resp.StatusCode, body)
	}
	g.works()
}

// The statuses that exist only for some pass: 299, 599 and 600 to 999 are a server's own.
func TestUnusualStatusesPass(t *testing.T) {
	for _, status := range []string{"299", "418", "600", "999"} {
		g := served(t, "HTTP/1.1 "+status+" Own\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
		if resp, body := g.do(g.request(http.MethodPost, "/v1/files", "{}")); fmt.Sprint(resp.StatusCode) != status || body != "ok" {
			t.Errorf("%s: got %d %q", status, resp.StatusCode, body)
		}
	}
}

// Bytes that no header may hold end there, and the rest of the answer passes.
func TestControlBytesInHeadersDoNotPass(t *testing.T) {
	g := served(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Bad: a\x00b\x1b[2J\x7f\r\nX-Two: fine\r\nX-Two: b\x01\r\nX-Tab: a\tb\r\nX-Ümlaut: \xff\r\nContent-Length: 2\r\n\r\n{}")
	resp, body := g.chat()
	if body != "{}" && resp.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	for name, values := range resp.Header {
		if strings.ContainsAny(strings.Join(values, ""), "\x00\x01\x1b\x7f") {
			t.Errorf("%s: %q passed", name, values)
		}
	}
}

// Outrigger's own headers are its own wherever an answer says some, and so is when to try again beside the answer's head.
func TestOutriggersHeadersAreTakenOutOfTrailersAndHints(t *testing.T) {
	const (
		forged = "X-Outrigger-Source: local\r\nX-Outrigger-Attempts: 99\r\nX-Outrigger-Invented: 1\r\nX-Should-Retry: true\r\nRetry-After: 86400\r\nRetry-After-Ms: 1\r\n"
		kept   = "X-Kept: yes\r\n"
	)
	for name, tt := range map[string]struct{ path, body string }{
		"JSON":   {"/v1/chat/completions", "{}"},
		"audio":  {"/v1/audio/speech", "abc"},
		"events": {"/v1/x", "data: 1\n\n"},
	} {
		for announced, names := range map[string]string{"announced": "Trailer: X-Outrigger-Source, X-Should-Retry, X-Kept\r\n", "unannounced": ""} {
			t.Run(name+" "+announced, func(t *testing.T) {
				kind := map[string]string{"JSON": proxywire.TypeJSON, "audio": "audio/mpeg", "events": proxywire.TypeEvents}[name]
				g := served(t, "HTTP/1.1 103 Early Hints\r\n"+forged+kept+"\r\nHTTP/1.1 200 OK\r\nContent-Type: "+kind+"\r\nX-Outrigger-Invented: 1\r\nX-Outrigger-Source: forged\r\n"+names+
					"Transfer-Encoding: chunked\r\n\r\n"+fmt.Sprintf("%x\r\n%s\r\n0\r\n", len(tt.body), tt.body)+forged+kept+"\r\n")
				hints := http.Header{}
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
					hints = http.Header(h).Clone()
					return nil
				}})
				resp, body := g.do(g.request(http.MethodPost, tt.path, chatBody).WithContext(ctx))
				if body != tt.body || resp.Header.Get("X-Outrigger-Source") != "upstream" || resp.Header["X-Outrigger-Invented"] != nil {
					t.Errorf("got %q with %v", body, resp.Header)
				}
				for where, h := range map[string]http.Header{"trailers": resp.Trailer, "hints": hints} {
					if h.Get("X-Kept") != "yes" || len(h) != 1 {
						t.Errorf("%s: %v, want X-Kept alone", where, h)
					}
				}
			})
		}
	}
}

// panicking is a body that panics behind its first bytes.
type panicking struct{ reads int }

func (p *panicking) Read(b []byte) (int, error) {
	if p.reads++; p.reads > 1 {
		panic("bytes that nobody expected")
	}
	return copy(b, "{"), nil
}

func (p *panicking) Close() error { return nil }

// A goroutine that reads what an upstream sent ends its answer when it panics, and not the process.
func TestAPanicInAGoroutineThatReadsAnAnswerEndsThatAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		h := response.NewHold(&panicking{}, &memory{most: 1 << 20}, 100, nil)
		h.Panicked = func(any) { told++ }
		h.Wait(func() time.Duration { return time.Second })
		synctest.Wait()
		if opening, err := h.Opening(); string(opening) != "{" || !errors.Is(err, io.ErrUnexpectedEOF) || told != 1 || h.Busy() {
			t.Errorf("got %q, %v, told %d times", opening, err, told)
		}
	})
}

func TestPanicsAreCounted(t *testing.T) {
	g := newRig(t, fine)
	observe.Survived(g.proxy.recorder, "answer", "x")
	if text := g.metricsText(); !strings.Contains(text, `outrigger_panics_total{where="answer"} 1`) || !strings.Contains(g.log.String(), "a call panicked") {
		t.Error("a panic is neither counted nor logged")
	}
}
