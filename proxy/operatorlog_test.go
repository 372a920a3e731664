package proxy

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// lastRequest returns the fields of the last line about a request.
func lastRequest(t *testing.T, g *rig) map[string]any {
	t.Helper()
	eventually(t, "the request ends", func() bool { return g.proxy.Inflight() == 0 })
	var last map[string]any
	for line := range strings.Lines(g.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["msg"] == "request" {
			last = fields
		}
	}
	if last == nil {
		t.Fatal("no request was logged")
	}
	return last
}

// drop sends a request and reads what comes, whatever it is.
func (g *rig) drop(r *http.Request) {
	if resp, err := g.client.Do(r); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func TestLog_LevelsTellWhatSomebodyShouldLookAt(t *testing.T) {
	create := func(g *rig) *http.Request { return g.request(http.MethodPost, "/v1/fine_tuning/jobs", chatBody) }
	for name, tt := range map[string]struct {
		upstream script
		request  func(*rig) *http.Request
		times    int
		want     string
	}{
		"a success":                       {fine, (*rig).plain, 1, "INFO"},
		"a create that may have happened": {hangUp, create, 1, "WARN"},
		"an exhausted quota":              {answers(429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota","type":"insufficient_quota"}}`), (*rig).plain, 1, "WARN"},
		"the same from memory":            {answers(429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota","type":"insufficient_quota"}}`), (*rig).plain, 3, "WARN"},
		"no money":                        {answers(402, `{"error":{"message":"Insufficient Balance","code":"insufficient_balance"}}`), (*rig).plain, 1, "WARN"},
		"a revoked key":                   {answers(401, `{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}`), (*rig).plain, 1, "WARN"},
		"the same key from memory":        {answers(401, `{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}`), (*rig).plain, 3, "WARN"},
		"a request at fault":              {answers(400, `{"error":{"message":"no","code":"invalid_value"}}`), (*rig).plain, 1, "INFO"},
		"an unknown model":                {answers(404, `{"error":{"message":"no","code":"model_not_found"}}`), (*rig).plain, 1, "INFO"},
		"a failure of Outrigger's":        {hangUp, (*rig).plain, 1, "WARN"},
		"a failure of the upstream's":     {answers(500, `{"error":{"message":"oops"}}`), (*rig).plain, 1, "INFO"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, tt.upstream, func(c *settings.Config) { c.Retry.Max = 0 })
			for range tt.times {
				g.drop(tt.request(g))
			}
			if line := lastRequest(t, g); line["level"] != tt.want {
				t.Errorf("level %v, want %s: %v", line["level"], tt.want, line)
			}
		})
	}
}

func TestLog_AnAnswerThatBrokeOffSaysWhy(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunk := fmtChunk
	raw := func(text string, end func(c net.Conn)) script {
		return func(w http.ResponseWriter, r *http.Request, _ int) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, text)
			time.Sleep(50 * time.Millisecond) // what came is passed on before the end
			end(conn)
			_ = conn.Close()
		}
	}
	for name, tt := range map[string]struct {
		upstream script
		want     any
	}{
		"a reset":             {raw(head+chunk(delta("a")), func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }), "reset"},
		"an early end":        {raw(head+chunk(delta("a")), func(net.Conn) {}), "early_end"},
		"a clean early end":   {raw(head+chunk(delta("a"))+"0\r\n\r\n", func(net.Conn) {}), "early_end"},
		"chunks that are not": {raw(head+chunk(delta("a")), func(c net.Conn) { _, _ = io.WriteString(c, "nonsense\r\n") }), "parse"},
		"silence":             {streamOf(delta("a"), func() { time.Sleep(3 * time.Second) }), "silence"},
		"a whole one":         {streamOf(delta("a")+doneEvent, clean), nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, tt.upstream, func(c *settings.Config) {
				c.Timeouts.StreamIdle, c.Timeouts.StreamIdleSet, c.Retry.Max = 300*time.Millisecond, true, 0
			})
			g.drop(g.streaming())
			if line := lastRequest(t, g); line["reason"] != tt.want {
				t.Errorf("reason %v, want %v: %v", line["reason"], tt.want, line)
			}
		})
	}
}

// fmtChunk is text as one chunk (RFC 9112, section 7.1).
func fmtChunk(text string) string {
	return strings.ToUpper(hexOf(len(text))) + "\r\n" + text + "\r\n"
}

func hexOf(n int) string {
	const digits = "0123456789abcdef"
	if n < 16 {
		return digits[n : n+1]
	}
	return hexOf(n/16) + digits[n%16:n%16+1]
}

func TestLog_CallersHaveALabelThatGivesNothingAway(t *testing.T) {
	const long, token = "sk-proj-0123456789abcdefWXYZ", "token-0123456789-0123TOKN"
	for name, tt := range map[string]struct {
		headers []string
		tokens  bool
		want    any
	}{
		"a key":                   {[]string{"Authorization: Bearer " + long}, false, "WXYZ"},
		"a bare key":              {[]string{"Authorization: " + long}, false, "WXYZ"},
		"Azure's":                 {[]string{"Authorization: ", "Api-Key: " + long}, false, "WXYZ"},
		"Anthropic's":             {[]string{"Authorization: ", "X-Api-Key: " + long}, false, "WXYZ"},
		"Google's":                {[]string{"Authorization: ", "X-Goog-Api-Key: " + long}, false, "WXYZ"},
		"a token":                 {[]string{"Authorization: Bearer " + long, "X-Outrigger-Token: " + token}, true, "TOKN"},
		"a token nobody asks for": {[]string{"Authorization: Bearer " + long, "X-Outrigger-Token: " + token}, false, "WXYZ"},
		"a short token":           {[]string{"Authorization: Bearer " + long, "X-Outrigger-Token: short"}, true, nil},
		"a short key":             {[]string{"Authorization: Bearer " + strings.Repeat("k", 19)}, false, nil},
		"the shortest":            {[]string{"Authorization: Bearer " + strings.Repeat("k", 20)}, false, "kkkk"},
		"a password":              {[]string{"Authorization: Basic dXNlcjpwYXNzd29yZHBhc3N3b3Jk"}, false, nil},
		"no key":                  {[]string{"Authorization: "}, false, nil},
		"odd characters":          {[]string{"Authorization: Bearer 01234567890123456789\xff\xfe"}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, fine, func(c *settings.Config) {
				if tt.tokens {
					c.Callers.Tokens = []values.Secret{values.NewSecret(token), values.NewSecret("short")}
				}
			})
			g.drop(with(g.plain(), tt.headers...))
			line := lastRequest(t, g)
			if line["caller"] != tt.want || line["status"] != 200.0 {
				t.Errorf("caller %v, want %v: %v", line["caller"], tt.want, line)
			}
		})
	}
}
