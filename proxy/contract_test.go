package proxy

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/settings"
)

// localError is what a caller sees of an error that Outrigger wrote.
type localError struct {
	status     int
	kind, code string
	attempts   string
	retryAfter string   // "": no such header; someTime: any that is allowed
	final      bool     // x-should-retry: false
	kept       bool     // and OUTRIGGER_CLIENT_RETRIES=allow does not take it away
	says       []string // what the message must tell
}

// someTime stands for a Retry-After of 1 to 60 seconds.
const someTime = "some"

// check compares an answer with e, whole.
func (e localError) check(t *testing.T, resp *http.Response, body string) {
	t.Helper()
	if resp.StatusCode != e.status {
		t.Fatalf("status %d, want %d: %s", resp.StatusCode, e.status, body)
	}
	var members map[string]map[string]any
	if err := json.Unmarshal([]byte(body), &members); err != nil || len(members) != 1 || len(members["error"]) != 4 {
		t.Fatalf("the body is not one error object of four members: %s", body)
	}
	inner := members["error"]
	message, _ := inner["message"].(string)
	if param, has := inner["param"]; !has || param != nil || inner["type"] != e.kind || inner["code"] != e.code {
		t.Errorf("error %v, want type %s, code %s and a null param", inner, e.kind, e.code)
	}
	for _, words := range append(e.says, ".") {
		if !strings.Contains(message, words) {
			t.Errorf("the message %q does not say %q", message, words)
		}
	}
	final := ""
	if e.final {
		final = "false"
	}
	if after := resp.Header.Get("Retry-After"); e.retryAfter == someTime {
		if n, err := strconv.Atoi(after); err != nil || n < 1 || n > 60 {
			t.Errorf("Retry-After: %q, want 1 to 60", after)
		}
		e.retryAfter = after
	}
	for name, want := range map[string]string{
		"Content-Type":         "application/json",
		"Content-Length":       strconv.Itoa(len(body)),
		"Retry-After":          e.retryAfter,
		"X-Should-Retry":       final,
		"X-Outrigger-Attempts": e.attempts,
		"X-Outrigger-Source":   "local",
	} {
		if got := strings.Join(resp.Header[name], "|"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if id := resp.Header.Get("X-Outrigger-Request-Id"); id == "" || resp.Header.Get("X-Request-Id") != id {
		t.Errorf("ids %q and %q: want one, twice", id, resp.Header.Get("X-Request-Id"))
	}
	if _, err := strconv.Atoi(resp.Header.Get("X-Outrigger-Queue-Ms")); err != nil {
		t.Errorf("x-outrigger-queue-ms: %v", err)
	}
	upstream := ""
	if e.attempts != "0" {
		upstream = "openai"
	}
	if got := resp.Header.Get("X-Outrigger-Upstream"); got != upstream {
		t.Errorf("x-outrigger-upstream %q, want %q", got, upstream)
	}
}

// hangUp drops the connection instead of an answer.
func hangUp(w http.ResponseWriter, r *http.Request, _ int) {
	_, _ = io.Copy(io.Discard, r.Body)
	panic(http.ErrAbortHandler)
}

// silence reads the request and never answers.
func silence(_ http.ResponseWriter, r *http.Request, _ int) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// answers answers everything with status and body.
func answers(status int, body string, headers ...string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

type script = func(http.ResponseWriter, *http.Request, int)

var fine = answers(http.StatusOK, `{"ok":true}`)

// with sets headers, "Name: value", on a request.
func with(r *http.Request, headers ...string) *http.Request {
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// The rows of the contract's error table. Idempotency's two rows belong to its step.
func TestEveryErrorOfTheTableIsToldAsTheContractSays(t *testing.T) {
	chat := func(g *rig) (*http.Response, string) { return g.chat() }
	file := func(g *rig) (*http.Response, string) { return g.do(g.request(http.MethodPost, "/v1/files", chatBody)) }
	tests := map[string]struct {
		upstream script
		edit     func(*settings.Config)
		provoke  func(g *rig) (*http.Response, string)
		want     localError
	}{
		"an upstream name that is not configured": {
			fine, nil,
			func(g *rig) (*http.Response, string) {
				return g.do(g.request(http.MethodPost, "/@nobody/v1/chat/completions", chatBody))
			},
			localError{400, "invalid_request_error", "bad_request", "0", "", true, false, []string{`"nobody"`, "OUTRIGGER_UPSTREAMS"}},
		},
		"absolute-form to a foreign host": {
			fine, nil,
			func(g *rig) (*http.Response, string) {
				return g.raw("GET http://evil.example/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
			},
			localError{400, "invalid_request_error", "bad_request", "0", "", true, false, []string{`"evil.example"`, "OPENAI_BASE_URL"}},
		},
		"CONNECT": {
			fine, nil,
			func(g *rig) (*http.Response, string) {
				return g.raw("CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n")
			},
			localError{400, "invalid_request_error", "bad_request", "0", "", true, false, []string{"CONNECT", "OPENAI_BASE_URL"}},
		},
		"a body that breaks off": {
			fine, nil,
			func(g *rig) (*http.Response, string) {
				return g.raw("POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n")
			},
			localError{400, "invalid_request_error", "bad_request", "0", "", true, false, []string{"request body", "cut short"}},
		},
		"no client token": {
			fine, func(c *settings.Config) { c.Callers.Tokens = []values.Secret{values.NewSecret("let-me-in")} }, chat,
			localError{401, "authentication_error", "client_token_required", "0", "", true, false, []string{"x-outrigger-token"}},
		},
		"a page of a foreign origin": {
			fine, nil,
			func(g *rig) (*http.Response, string) {
				return g.do(with(g.request(http.MethodPost, "/v1/chat/completions", chatBody), "Origin: https://evil.example"))
			},
			localError{403, "permission_error", "origin_not_allowed", "0", "", true, false, []string{"https://evil.example", "OUTRIGGER_ALLOWED_ORIGINS"}},
		},
		"a rebound name": {
			fine, nil,
			func(g *rig) (*http.Response, string) {
				return g.raw("GET /v1/models HTTP/1.1\r\nHost: rebound.example:8383\r\n\r\n")
			},
			localError{403, "permission_error", "host_not_allowed", "0", "", true, false, []string{"rebound.example", "OUTRIGGER_ALLOWED_HOSTS"}},
		},
		"a path that leads up": {
			fine, nil,
			func(g *rig) (*http.Response, string) {
				return g.raw("GET /v1/%2e%2e/files HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
			},
			localError{400, "invalid_request_error", "bad_request", "0", "", true, false, []string{"leads up", ".."}},
		},
		"a request that is to be echoed": {
			fine, nil,
			func(g *rig) (*http.Response, string) { return g.do(g.request(http.MethodTrace, "/v1/models", "")) },
			localError{405, "invalid_request_error", "method_not_allowed", "0", "", true, false, []string{"TRACE", "credentials"}},
		},
		"a body over the bound": {
			fine, func(c *settings.Config) { c.Bodies.BodyMax = 10 }, chat,
			localError{413, "invalid_request_error", "request_too_large", "0", "", true, false, []string{"10", "OUTRIGGER_BODY_MAX"}},
		},
		"a create whose answer was lost": {
			hangUp, nil, file,
			localError{424, "api_connection_error", "upstream_ambiguous", "1", "", true, true, []string{`"openai"`, "1 attempt", "before sending it again"}},
		},
		"a create whose answer did not come in time": {
			silence, func(c *settings.Config) { c.Timeouts.Attempt, c.Timeouts.Total = 2*time.Second, 21*time.Second }, file,
			localError{424, "api_connection_error", "upstream_ambiguous", "1", "", true, true, []string{"timeout", "1 attempt", "20s", "before sending it again"}},
		},
		"a create whose answer was lost, to a client that repeats a 424": {
			hangUp, nil, func(g *rig) (*http.Response, string) {
				return g.do(with(g.request(http.MethodPost, createPath, "{}"), "User-Agent: langchainjs-openai/1.6.0 (node/v20.20.2; linux; x64)"))
			},
			localError{409, "api_connection_error", "upstream_ambiguous", "1", "", true, true, []string{"before sending it again"}},
		},
		"a WebSocket where none is carried": {
			fine, func(c *settings.Config) { c.WebSocket = settings.WebSocketRefuse },
			func(g *rig) (*http.Response, string) {
				return g.do(with(g.request(http.MethodGet, "/v1/responses", ""), "Upgrade: websocket", "Connection: Upgrade"))
			},
			localError{426, "invalid_request_error", "websocket_refused", "0", "", true, false, []string{"OUTRIGGER_WEBSOCKET"}},
		},
		"a line that is full": {
			fine, func(c *settings.Config) { c.Limit.RPM, c.Limit.QueueMax = 60, 1 },
			func(g *rig) (*http.Response, string) { fillLine(g); return g.chat() },
			localError{429, "rate_limit_error", "local_rate_limit", "0", someTime, false, false, []string{`"openai"`, "OUTRIGGER_QUEUE_MAX"}},
		},
		"a wait that would outlast the deadline": {
			fine, func(c *settings.Config) { c.Limit.RPM, c.Timeouts.Total = 2, 20*time.Second },
			untilRefused,
			localError{429, "rate_limit_error", "local_rate_limit", "0", someTime, false, false, []string{`"openai"`, "in about"}},
		},
		"a wait of more than a minute is not told": {
			fine, func(c *settings.Config) {
				c.Limit.RPM, c.Timeouts.Total, c.Limit.QueueTimeout = 1, time.Hour, time.Minute
			},
			untilRefused,
			localError{429, "rate_limit_error", "local_rate_limit", "0", "", false, false, []string{`"openai"`, "OUTRIGGER_QUEUE_TIMEOUT"}},
		},
		"a request that can never fit": {
			fine, func(c *settings.Config) { c.Limit.TPM = 10 },
			func(g *rig) (*http.Response, string) {
				return g.do(g.request(http.MethodPost, "/v1/chat/completions", `{"model":"m","max_tokens":5000,"messages":[{"role":"user","content":"hi"}]}`))
			},
			localError{429, "rate_limit_error", "local_rate_limit", "0", "", true, false, []string{`"openai"`, "max_tokens"}},
		},
		"no connection": {
			fine, nil,
			func(g *rig) (*http.Response, string) { g.behind.Close(); return g.chat() },
			localError{502, "api_connection_error", "upstream_unreachable", "5", "", true, false, []string{`"openai"`, "5 attempts", "connection refused", "URL"}},
		},
		"a create and no connection": {
			fine, nil,
			func(g *rig) (*http.Response, string) { g.behind.Close(); return file(g) },
			localError{502, "api_connection_error", "upstream_unreachable", "5", "", true, false, []string{`"openai"`, "5 attempts", "connection refused", "URL"}},
		},
		"answers that break off": {
			hangUp, nil, chat,
			localError{502, "api_connection_error", "upstream_broke", "5", "", true, false, []string{`"openai"`, "5 attempts", "again is safe"}},
		},
		"an open breaker": {
			answers(500, "{}"), func(c *settings.Config) {
				c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait, c.Retry.Max = 1, 30*time.Second, 10*time.Second, 0
			},
			func(g *rig) (*http.Response, string) { _, _ = g.chat(); return g.chat() },
			localError{503, "server_error", "circuit_open", "0", "21", false, false, []string{`"openai"`, "10s", "/status.json"}},
		},
		"an open breaker whose probe is far away": {
			answers(500, "{}"), func(c *settings.Config) {
				c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait, c.Retry.Max = 1, time.Hour, 10*time.Second, 0
			},
			func(g *rig) (*http.Response, string) { _, _ = g.chat(); return g.chat() },
			localError{503, "server_error", "circuit_open", "0", "", false, false, []string{`"openai"`, "10s"}},
		},
		"no room for the body": {
			fine, func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 1, 0 }, chat,
			localError{503, "server_error", "spool_full", "0", "1", false, false, []string{"OUTRIGGER_MEMORY_MAX", "Try again"}},
		},
		"a drain": {
			fine, nil,
			func(g *rig) (*http.Response, string) { g.proxy.Drain(); return g.chat() },
			localError{503, "server_error", "draining", "0", "1", false, false, []string{"shutting down", "again"}},
		},
		"a drain that ends a request": {
			silence, nil,
			func(g *rig) (*http.Response, string) {
				time.AfterFunc(time.Second, func() { g.proxy.Cancel(errors.New("stop")) })
				return g.chat()
			},
			localError{503, "server_error", "draining", "1", "1", true, false, []string{"shutting down", "again"}},
		},
		"a drain that ends a create": {
			silence, nil,
			func(g *rig) (*http.Response, string) {
				time.AfterFunc(time.Second, func() { g.proxy.Cancel(errors.New("stop")) })
				return file(g)
			},
			localError{424, "api_connection_error", "upstream_ambiguous", "1", "", true, true, []string{"shutting down", "before sending it again"}},
		},
		"no answer within the attempts' timeouts": {
			silence, func(c *settings.Config) { c.Timeouts.Attempt = time.Second }, chat,
			localError{504, "timeout_error", "upstream_timeout", "5", "", true, false, []string{`"openai"`, "5 attempts", "OUTRIGGER_ATTEMPT_TIMEOUT"}},
		},
		"no answer within the total timeout": {
			silence, func(c *settings.Config) { c.Timeouts.Total = 10 * time.Second }, chat,
			localError{504, "timeout_error", "upstream_timeout", "1", "", true, false, []string{`"openai"`, "1 attempt", "9s", "OUTRIGGER_TIMEOUT"}},
		},
		"no answer within the time that the caller announced": {
			silence, nil,
			func(g *rig) (*http.Response, string) {
				return g.do(with(g.request(http.MethodPost, "/v1/chat/completions", chatBody), "X-Stainless-Read-Timeout: 10"))
			},
			localError{504, "timeout_error", "upstream_timeout", "1", "", false, false, []string{`"openai"`, "1 attempt", "9s"}},
		},
		"an attempt's timeout under a deadline that the caller announced": {
			silence, func(c *settings.Config) { c.Timeouts.Attempt = time.Second },
			func(g *rig) (*http.Response, string) {
				return g.do(with(g.request(http.MethodPost, "/v1/chat/completions", chatBody), "X-Stainless-Read-Timeout: 600"))
			},
			localError{504, "timeout_error", "upstream_timeout", "5", "", false, false, []string{"5 attempts", "9m59s"}},
		},
		"a create within the time that its caller announced": {
			silence, nil,
			func(g *rig) (*http.Response, string) {
				return g.do(with(g.request(http.MethodPost, "/v1/files", chatBody), "X-Stainless-Timeout: 10"))
			},
			localError{424, "api_connection_error", "upstream_ambiguous", "1", "", true, true, []string{"1 attempt", "9s"}},
		},
		"a create whose announced time ends before an attempt": {
			silence, func(c *settings.Config) { c.MaxInflight = 1 },
			func(g *rig) (*http.Response, string) {
				g.background(g.request(http.MethodPost, "/v1/chat/completions", chatBody))
				synctest.Wait()
				return g.do(with(g.request(http.MethodPost, "/v1/files", chatBody), "X-Stainless-Timeout: 10"))
			},
			localError{504, "timeout_error", "upstream_timeout", "0", "", true, false, []string{"0 attempts", "9s"}},
		},
	}
	for name, tt := range tests {
		for _, mode := range []policy.ClientRetriesMode{policy.ClientRetriesSuppress, policy.ClientRetriesAllow} {
			t.Run(name+"/"+string(mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, tt.upstream, func(c *settings.Config) {
						c.Retry.ClientRetries = mode
						c.Limit.Learn = false
						if tt.edit != nil {
							tt.edit(c)
						}
					})
					want := tt.want
					want.final = want.final && (mode == policy.ClientRetriesSuppress || want.kept)
					resp, body := tt.provoke(g)
					want.check(t, resp, body)
				})
			})
		}
	}
}

// background sends r without waiting for its answer, which ends with the rig.
func (g *rig) background(r *http.Request) {
	go func() {
		resp, err := g.client.Do(r)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}()
}

// fillLine sends chats until one waits in line.
func fillLine(g *rig) {
	for depth := 0; depth == 0; {
		g.background(g.request(http.MethodPost, "/v1/chat/completions", chatBody))
		synctest.Wait()
		g.proxy.gen().Upstreams[0].Queues.Each(time.Now(), func(_ []admission.Key, s limit.Snapshot, _ bool) { depth += s.Queue })
	}
}

// untilRefused sends chats one after the other until one is refused.
func untilRefused(g *rig) (*http.Response, string) {
	for range 100 {
		if resp, body := g.chat(); resp.StatusCode != http.StatusOK {
			return resp, body
		}
	}
	g.t.Fatal("the limit refuses nothing")
	return nil, ""
}

// What the upstream answered is the caller's, with Outrigger's own headers.
func TestAnAnswerOfTheUpstreamsCarriesTheRightAdviceForSDKs(t *testing.T) {
	const quota = `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`
	const failed = `{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}`
	const chat, files = "/v1/chat/completions", "/v1/files"
	tests := map[string]struct {
		path            string
		status          int
		body            string
		header          []string // of the upstream
		request         []string // of the caller
		attempts        string
		suppress, allow string // x-should-retry
	}{
		"a success":                               {chat, 200, `{}`, nil, nil, "1", "", ""},
		"a success that says true":                {chat, 200, `{}`, []string{"X-Should-Retry", "true"}, nil, "1", "", ""},
		"a redirect":                              {chat, 307, ``, []string{"Location", "/elsewhere"}, nil, "1", "", ""},
		"a bad request":                           {chat, 400, failed, nil, nil, "1", "false", ""},
		"a missing page":                          {chat, 404, failed, nil, nil, "1", "false", ""},
		"quota":                                   {chat, 429, quota, nil, nil, "1", "false", ""},
		"quota that says true":                    {chat, 429, quota, []string{"X-Should-Retry", "true"}, nil, "1", "false", "true"},
		"a failure":                               {chat, 500, failed, nil, nil, "3", "false", ""},
		"a failure that says false":               {chat, 500, failed, []string{"X-Should-Retry", "false"}, nil, "1", "false", "false"},
		"a wait that is too long":                 {chat, 503, failed, []string{"Retry-After", "100"}, nil, "1", "false", ""},
		"a wait longer than the caller's time":    {chat, 503, failed, []string{"Retry-After", "30"}, []string{"X-Stainless-Read-Timeout: 20"}, "1", "", ""},
		"a failure within the caller's time":      {chat, 500, failed, nil, []string{"X-Stainless-Read-Timeout: 600"}, "3", "false", ""},
		"a create that failed ambiguously":        {files, 500, failed, nil, nil, "1", "false", "false"},
		"a create that surely did not happen":     {files, 503, failed, nil, nil, "3", "false", ""},
		"a create with a wait over its time":      {files, 503, failed, []string{"Retry-After", "30"}, []string{"X-Stainless-Read-Timeout: 20"}, "1", "false", ""},
		"a create whose caller has little time":   {files, 500, failed, nil, []string{"X-Stainless-Read-Timeout: 1"}, "1", "false", "false"},
		"a page of a gateway, not an API's error": {chat, 502, "<html>bad gateway</html>", nil, nil, "3", "false", ""},
	}
	for name, tt := range tests {
		for _, mode := range []policy.ClientRetriesMode{policy.ClientRetriesSuppress, policy.ClientRetriesAllow} {
			t.Run(name+"/"+string(mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					header := append([]string{
						"X-Request-Id", "req_upstream", "X-Outrigger-Source", "forged", "X-Outrigger-Attempts", "99",
						"X-Outrigger-Upstream", "forged", "X-Outrigger-Queue-Ms", "forged", "X-Outrigger-Request-Id", "forged",
					}, tt.header...)
					g := newBubble(t, answers(tt.status, tt.body, header...), func(c *settings.Config) { c.Retry.ClientRetries, c.Retry.Max = mode, 2 })
					resp, body := g.do(with(g.request(http.MethodPost, tt.path, chatBody), tt.request...))
					want := tt.suppress
					if mode == policy.ClientRetriesAllow {
						want = tt.allow
					}
					if resp.StatusCode != tt.status || body != tt.body {
						t.Errorf("got %d %q, want %d %q", resp.StatusCode, body, tt.status, tt.body)
					}
					for name, want := range map[string]string{
						"X-Should-Retry": want, "X-Outrigger-Attempts": tt.attempts, "X-Outrigger-Source": "upstream",
						"X-Outrigger-Upstream": "openai", "X-Outrigger-Queue-Ms": "0", "X-Request-Id": "req_upstream",
					} {
						if got := strings.Join(resp.Header[name], "|"); got != want {
							t.Errorf("%s: %q, want %q", name, got, want)
						}
					}
					if id := resp.Header["X-Outrigger-Request-Id"]; len(id) != 1 || id[0] == "forged" || !strings.Contains(g.log.String(), `"id":"`+id[0]+`"`) {
						t.Errorf("x-outrigger-request-id %q is not that of the log", id)
					}
				})
			})
		}
	}
}

func TestErrorsUnderTheMessagesAPIHaveItsOuterShape(t *testing.T) {
	tests := map[string]bool{
		"/v1/messages": true, "/v1/messages/count_tokens": true, "/anthropic/v1/messages": true, "/v1/messages/batches": true,
		"/v1/chat/completions": false, "/v1/threads/thread_1/messages": false,
	}
	for path, want := range tests {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, hangUp)
			_, body := g.do(g.request(http.MethodPost, path, `{"model":"claude-sonnet-5","messages":[]}`))
			var answer struct {
				Type      string `json:"type"`
				RequestID string `json:"request_id"`
				Error     struct{ Type, Code, Message string }
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			outer := answer.Type == "error" && strings.HasPrefix(answer.RequestID, "or-")
			if outer != want || answer.Error.Type == "" || answer.Error.Code == "" || answer.Error.Message == "" {
				t.Errorf("%s: %s, want Anthropic's outer members: %t", path, body, want)
			}
		})
	}
}

func TestAHeadRequestIsToldOfAnErrorWithoutABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, hangUp)
		resp, body := g.do(g.request(http.MethodHead, "/v1/models", ""))
		if resp.StatusCode != http.StatusBadGateway || body != "" || resp.Header.Get("X-Should-Retry") != "false" {
			t.Errorf("got %d %q %v", resp.StatusCode, body, resp.Header)
		}
	})
}
