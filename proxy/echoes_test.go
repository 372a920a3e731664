package proxy

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
	proxywire "outrigger/proxy/wire"
)

// namesOfModels are what a caller may call a model; package classify tries every phrase that it knows.
func namesOfModels() []string {
	return []string{
		"insufficient balance", "insufficient_quota", "Insufficient Balance", "InsufficientBalance", "invalid_api_key", "account_deactivated",
		"billing_hard_limit_reached", "You exceeded your current quota, please check your plan and billing details.",
		"Your credit balance is too low", "incorrect api key provided", "try again in 3600s", "rate limit exceeded, retry after 600 seconds",
		"requests per day exceeded", "Limit: 1 / min", "limit: 0", "the server is overloaded", "model is loading", "capacity exceeded", "server busy",
		"model_not_found: insufficient_quota", "resource_exhausted", "free-models-per-day", "account is suspended", "retry_after: 900",
		"余额不足", "欠费", "balance", "arrears", "1113", "overdue",
	}
}

// jsonText returns s as a JSON string.
func jsonText(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// manners are how upstreams quote a model's name.
var manners = map[string]func(name string) (contentType, body string){
	"OpenAI's": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":` + jsonText("The model `"+n+"` does not exist or you do not have access to it.") + `,"type":"invalid_request_error","param":null,"code":"model_not_found"}}`
	},
	"vLLM's": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"object":"error","message":` + jsonText("The model `"+n+"` does not exist.") + `,"type":"NotFoundError","param":null,"code":404}`
	},
	"Anthropic's": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"type":"error","error":{"type":"not_found_error","message":` + jsonText("model: "+n) + `}}`
	},
	"without quotes": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":` + jsonText("Unknown model "+n+" requested.") + `}}`
	},
	"at the beginning": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":` + jsonText(n+" is not a valid model ID") + `,"code":400}}`
	},
	"as a code": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":"No such model.","code":` + jsonText("model_not_found: "+n) + `,"param":` + jsonText(n) + `}}`
	},
	"as the whole code": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":"No such model.","code":` + jsonText(n) + `}}`
	},
	"as a reason": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":"No such model.","reason":` + jsonText(n) + `,"type":` + jsonText(n) + `}}`
	},
	"FastAPI's": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"detail":[{"type":"value_error","loc":["body","model"],"msg":` + jsonText("Value error, unknown model '"+n+"'") + `,"input":` + jsonText(n) + `}]}`
	},
	"nested": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":` + jsonText(`litellm.NotFoundError: OpenAIException - {"error":{"message":`+jsonText("The model `"+n+"` does not exist")+`}}`) + `,"code":"404"}}`
	},
	"escaped": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":"The model \u0060` + url.PathEscape(n) + `\u0060 is ` + url.QueryEscape(n) + `"}}`
	},
	"a page": func(n string) (string, string) {
		return "text/html", "<html><title>Not found</title><p>No model " + html.EscapeString(n) + " here</p></html>"
	},
	"plain text": func(n string) (string, string) { return "text/plain", "no model " + n },
	"cut": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":` + jsonText("Invalid model: '"+cutText(n, len(n)*3/4+1)+"...'") + `}}`
	},
	"with headers": func(n string) (string, string) {
		return proxywire.TypeJSON, `{"error":{"message":"No such model","metadata":{"headers":{"X-RateLimit-Reset":` + jsonText(n) + `},"raw":` + jsonText(n) + `}}}`
	},
}

func cutText(s string, n int) string { return strings.ToValidUTF8(s[:min(n, len(s))], "") }

// TestWhatACallerSaysDecidesForNobodyElse: models named by every phrase that refusals use, quoted as upstreams quote, under
// every status of a rejection or a failure. The next call of the same key is answered at once, by the upstream.
func TestWhatACallerSaysDecidesForNobodyElse(t *testing.T) {
	names := namesOfModels()
	for manner, quote := range manners {
		for _, status := range []int{400, 403, 404, 429, 500} {
			t.Run(fmt.Sprint(manner, status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					name := ""
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						body, _ := io.ReadAll(r.Body)
						if !bytes.Contains(body, []byte(`"attack"`)) {
							fine(w, r, n)
							return
						}
						kind, text := quote(name)
						w.Header().Set("Content-Type", kind)
						w.WriteHeader(status)
						_, _ = io.WriteString(w, text)
					}, realBackoff, func(c *settings.Config) { c.Retry.Max = 0 })
					for _, name = range names {
						r := g.request(http.MethodPost, "/v1/chat/completions", `{"user":"attack","model":`+jsonText(name)+`,"messages":[]}`)
						r.Header.Set("X-Stainless-Read-Timeout", "1")
						_, _ = g.do(r)
						g.unharmed(fmt.Sprintf("%q", name))
					}
				})
			})
		}
	}
}

// unharmed shows that the next call of the shared key is answered by the upstream, without a wait.
func (g *rig) unharmed(after string) {
	g.t.Helper()
	before, calls := time.Now(), g.calls.Load()
	resp, body := g.chat()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Outrigger-Source") != "upstream" || g.calls.Load() != calls+1 || time.Since(before) > time.Second {
		g.t.Errorf("after %s the neighbour got %d from %s after %v: %.200s", after, resp.StatusCode, resp.Header.Get("X-Outrigger-Source"), time.Since(before), body)
		time.Sleep(g.proxy.gen().Config.TripCooldown) // for the next name
	}
}

// What else of a request may be quoted: the model is only the first of it.
func TestNothingThatACallerSaysIsTheUpstreamsWord(t *testing.T) {
	const said = "insufficient balance"
	long := strings.Repeat("A story about money. ", 2000) + "It ended with an insufficient balance and no funds, said the bank"
	requests := map[string]func(*http.Request) string{ // returns the body
		"user":            func(*http.Request) string { return `{"model":"m","user":"insufficient balance"}` },
		"a deep value":    func(*http.Request) string { return `{"model":"m","metadata":{"a":[{"b":"insufficient balance"}]}}` },
		"a member's name": func(*http.Request) string { return `{"model":"m","insufficient balance":1}` },
		"a tool's name": func(*http.Request) string {
			return `{"model":"m","tools":[{"function":{"name":"insufficient_balance"}}]}`
		},
		"escapes": func(*http.Request) string { return `{"model":"m","user":"insufficient\u0020b\u0061lance"}` },
		"behind 40 KB": func(*http.Request) string {
			return `{"messages":[{"content":` + jsonText(long) + `}],"user":"insufficient balance"}`
		},
		"a header": func(r *http.Request) string { r.Header.Set("X-Custom", said); return `{"model":"m"}` },
		"the query": func(r *http.Request) string {
			r.URL.RawQuery = "x=insufficient+balance"
			return `{"model":"m"}`
		},
		"the path": func(r *http.Request) string {
			r.URL = r.URL.JoinPath("insufficient balance")
			return `{"model":"m"}`
		},
		"a compressed body": func(r *http.Request) string {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = io.WriteString(z, `{"model":"m","user":"insufficient balance"}`)
			_ = z.Close()
			r.Header.Set("Content-Encoding", "gzip")
			return b.String()
		},
		"a form": func(r *http.Request) string {
			r.Header.Set("Content-Type", "multipart/form-data; boundary=B")
			return "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"insufficient balance\"\r\n\r\nabc\r\n--B--\r\n"
		},
		"a part of a prompt": func(*http.Request) string { return `{"model":"m","prompt":` + jsonText(long) + `}` },
		"wide letters": func(*http.Request) string {
			return `{"model":"m","user":"ｉｎｓｕｆｆｉｃｉｅｎｔ ｂａｌａｎｃｅ"}`
		},
		"letters that nobody sees": func(*http.Request) string {
			return `{"model":"m","user":"insuffi\u200bcient bal\u00adance"}`
		},
	}
	answers := map[string]string{
		"message": `{"error":{"message":"Invalid value: 'insufficient balance'","type":"invalid_request_error","code":null}}`,
		"prompt":  `{"error":{"message":"Flagged: 'It ended with an insufficient balance and no funds, said the bank'"}}`,
		"code":    `{"error":{"message":"Invalid value","code":"insufficient_balance"}}`,
	}
	for place, written := range requests {
		for how, answer := range answers {
			if (place == "a part of a prompt") != (how == "prompt") {
				continue
			}
			for _, status := range []int{400, 403, 404, 429} {
				t.Run(fmt.Sprint(place, how, status), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
							if r.Header.Get("X-Attack") == "" {
								fine(w, r, n)
								return
							}
							w.Header().Set("Content-Type", proxywire.TypeJSON)
							w.WriteHeader(status)
							_, _ = io.WriteString(w, answer)
						})
						r := g.request(http.MethodPost, "/v1/chat/completions", "{}")
						body := written(r)
						r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
						r.Header.Set("X-Attack", "1")
						r.Header.Set("X-Stainless-Read-Timeout", "1")
						_, _ = g.do(r)
						g.unharmed(place)
					})
				})
			}
		}
	}
}

// The false friends: the same words where the request does not say them.
func TestTheUpstreamsOwnWordsStillCount(t *testing.T) {
	tests := map[string]struct {
		status int
		answer string
		body   string
	}{
		"a code":                        {429, `{"error":{"message":"x","code":"insufficient_quota"}}`, chatBody},
		"a code under 400":              {400, `{"error":{"message":"x","code":"insufficient_quota"}}`, chatBody},
		"a phrase under 403":            {403, `{"error":{"message":"insufficient balance"}}`, chatBody},
		"a phrase under 429":            {429, `{"error":{"message":"You exceeded your current quota, please check your plan"}}`, chatBody},
		"beside the model's name":       {429, "{\"error\":{\"message\":\"The model `gpt-4o-mini` needs money: insufficient balance\"}}", chatBody},
		"a prompt that speaks of it":    {429, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details"}}`, `{"model":"m","messages":[{"role":"user","content":"I like my current quota of work, and your current plan too"}]}`},
		"a prompt that speaks of money": {403, `{"error":{"message":"Your account has an insufficient balance"}}`, `{"model":"m","messages":[{"role":"user","content":"why is insufficient balance a bad thing to have?"}]}`},
		"402":                           {402, `{"error":{"message":"insufficient balance"}}`, `{"model":"insufficient balance"}`},
		"401":                           {401, `{"error":{"message":"no"}}`, `{"model":"no"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
					w.Header().Set("Content-Type", proxywire.TypeJSON)
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.answer)
				})
				for range 2 {
					_, _ = g.do(g.request(http.MethodPost, "/v1/chat/completions", tt.body))
				}
				if n := g.calls.Load(); n != 1 {
					t.Errorf("%d calls, want the second answered from memory", n)
				}
			})
		})
	}
}

// Headers about limits that a server mirrors are the caller's.
func TestMirroredHeadersTeachNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			for _, name := range []string{"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests", "Retry-After"} {
				if v := r.Header.Get(name); v != "" {
					w.Header().Set(name, v)
				}
			}
			fine(w, r, n)
		})
		for range 3 {
			r := g.request(http.MethodPost, "/v1/chat/completions", chatBody)
			r.Header.Set("X-Ratelimit-Limit-Requests", "1")
			r.Header.Set("X-Ratelimit-Remaining-Requests", "0")
			r.Header.Set("X-Ratelimit-Reset-Requests", "1h")
			r.Header.Set("Retry-After", "3600")
			if resp, _ := g.do(r); resp.Header.Get("X-Ratelimit-Limit-Requests") != "1" {
				t.Error("the answer's headers are passed on as they are")
			}
			g.unharmed("mirrored headers")
		}
	})
}
