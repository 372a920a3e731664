package proxy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// carried is one way in which a request carries a credential: a header with a value that
// has the secret for %s, or a query.
type carried struct {
	header, value string
	query         string
	hop           bool // it ends at Outrigger, and is no upstream's
	unknown       bool // nobody can tell that it is one
}

// carriers are all that are known to be used, and their relatives.
var carriers = map[string]carried{
	"Authorization":             {header: "Authorization", value: "Bearer %s"},
	"Basic":                     {header: "Authorization", value: "Basic %s"},
	"x-api-key":                 {header: "x-api-key", value: "%s"},
	"api-key":                   {header: "api-key", value: "%s"},
	"x-goog-api-key":            {header: "x-goog-api-key", value: "%s"},
	"APIM":                      {header: "ocp-apim-subscription-key", value: "%s"},
	"Cloudflare AI Gateway":     {header: "cf-aig-authorization", value: "Bearer %s"},
	"Portkey":                   {header: "x-portkey-api-key", value: "%s"},
	"Helicone":                  {header: "helicone-auth", value: "Bearer %s"},
	"AWS session":               {header: "x-amz-security-token", value: "%s"},
	"AWS SigV4":                 {header: "Authorization", value: "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261130/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=%s"},
	"a cookie":                  {header: "Cookie", value: "theme=dark; session=%s"},
	"a proxy's":                 {header: "Proxy-Authorization", value: "Basic %s", hop: true},
	"a WebSocket's":             {header: "Sec-WebSocket-Protocol", value: "realtime, openai-insecure-api-key.%s"},
	"a WebSocket's, in two":     {header: "Sec-WebSocket-Protocol", value: "access_token, %s"},
	"a header of its own kind":  {header: "X-Acme-Secret", value: "%s"},
	"an unknown with a scheme":  {header: "X-Acme", value: "Bearer %s"},
	"unknown":                   {header: "X-Acme-Who", value: "%s", unknown: true},
	"?key":                      {query: "key=%s"},
	"?api_key":                  {query: "api_key=%s"},
	"?access_token":             {query: "access_token=%s"},
	"?subscription-key":         {query: "subscription-key=%s"},
	"?KEY":                      {query: "KEY=%s"},
	"?key, percent-encoded":     {query: "a=1&%%6Bey=%s"},
	"?apiKey":                   {query: "apiKey=%s"},
	"?key, behind a semicolon":  {query: "a=1;key=%s"},
	"?key, twice":               {query: "key=&key=%s"},
	"a presigned URL":           {query: "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=%s"},
	"an Azure function's ?code": {query: "code=%s"},
}

// set puts the secret into a request.
func (c carried) set(r *http.Request, secret string) *http.Request {
	if c.header != "" {
		r.Header.Set(c.header, fmt.Sprintf(c.value, secret))
		return r
	}
	r.URL.RawQuery = fmt.Sprintf(c.query, secret)
	return r
}

const aliceSecret, bobSecret = "PLANTEDalice0000000000001", "PLANTEDbob000000000000002"

// forEachCarrier runs a test of one use in a bubble, for each carrier.
func forEachCarrier(t *testing.T, test func(t *testing.T, c carried)) {
	t.Helper()
	for name, c := range carriers {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, c) }) })
	}
}

// A call of a caller with that secret.
func (g *rig) callAs(c carried, secret string, headers ...string) *http.Request {
	r := g.request(http.MethodPost, "/v1/chat/completions", chatBody)
	return c.set(with(r, headers...), secret)
}

func TestCarrier_EachHasItsOwnLimiter(t *testing.T) {
	forEachCarrier(t, func(t *testing.T, c carried) {
		g := newBubble(t, fine)
		for _, secret := range []string{aliceSecret, bobSecret, aliceSecret} {
			g.do(g.callAs(c, secret))
		}
		want := 2
		if c.hop || c.unknown { // what does not pay has no limit; what nobody knows must not multiply them
			want = 1
		}
		if got := len(g.status().Upstreams[0].Limits); got != want {
			t.Errorf("%d limiters, want %d", got, want)
		}
	})
}

func TestCarrier_ACachedRefusalIsItsCallersAlone(t *testing.T) {
	refuse := func(w http.ResponseWriter, r *http.Request, n int) {
		said, _ := json.Marshal(fmt.Sprint(r.Header, r.URL.RawQuery))
		answers(401, `{"error":{"code":"invalid_api_key","message":`+string(said)+`}}`)(w, r, n)
	}
	forEachCarrier(t, func(t *testing.T, c carried) {
		g := newBubble(t, refuse)
		for range 3 { // one may be asked to confirm
			g.do(g.callAs(c, aliceSecret))
		}
		calls := g.calls.Load()
		if resp, _ := g.do(g.callAs(c, aliceSecret)); resp.Header.Get("x-outrigger-source") != "tripped" {
			t.Error("its own caller's refusal is not remembered")
		}
		resp, body := g.do(g.callAs(c, bobSecret))
		if strings.Contains(body, aliceSecret) {
			t.Errorf("another caller got %s", body)
		}
		if reached := g.calls.Load() > calls; reached == c.hop || resp.StatusCode != 401 {
			t.Errorf("another caller's call reached the upstream: %t", reached)
		}
	})
}

func TestCarrier_AStoredAnswerIsItsCallersAlone(t *testing.T) {
	for _, path := range []string{"/v1/chat/completions", "/v1/files"} {
		forEachCarrier(t, func(t *testing.T, c carried) {
			g := newBubble(t, numbered(0))
			ask := func(secret string) (*http.Response, string) {
				r := g.request(http.MethodPost, path, chatBody)
				return g.do(c.set(with(r, "Idempotency-Key: one"), secret))
			}
			ask(aliceSecret)
			if resp, body := ask(aliceSecret); resp.Header.Get("x-outrigger-source") != "replay" || body != `{"call":1}` {
				t.Errorf("its own caller got %s from %s", body, resp.Header.Get("x-outrigger-source"))
			}
			resp, body := ask(bobSecret)
			switch own := resp.StatusCode == 200 && body == `{"call":2}`; {
			case own:
			case c.unknown && path == "/v1/files" && resp.StatusCode == 422: // a create is not risked
			default:
				t.Errorf("%s: another caller got %d %s", path, resp.StatusCode, body)
			}
		})
	}
}

func TestCarrier_ARetryRejoinsItsCallersCallAlone(t *testing.T) {
	forEachCarrier(t, func(t *testing.T, c carried) {
		g := newBubble(t, numbered(2600*time.Millisecond), rejoins)
		g.leaveAfter(time.Second, g.callAs(c, aliceSecret))
		if _, body := g.do(g.callAs(c, bobSecret, retry1)); body != `{"call":2}` {
			t.Errorf("another caller got %s", body)
		}
		if _, body := g.do(g.callAs(c, aliceSecret, retry1)); body != `{"call":1}` {
			t.Errorf("its own caller got %s", body)
		}
	})
}

func TestCarrier_IsDroppedWhereAnotherKeyIsUsed(t *testing.T) {
	for name, edit := range map[string]func(c *settings.Config){
		"a key of the upstream's": func(c *settings.Config) { c.Upstreams[0].APIKey = values.NewSecret("own-key") },
		"another host's":          func(c *settings.Config) { c.Upstreams[0].CallerKey = settings.CallerKeyDrop },
	} {
		t.Run(name, func(t *testing.T) {
			forEachCarrier(t, func(t *testing.T, c carried) {
				var got string
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					got = fmt.Sprint(r.Header, r.URL.RawQuery)
					fine(w, r, n)
				}, edit)
				g.do(g.callAs(c, aliceSecret, "X-Other: stays", "OpenAI-Beta: b"))
				if strings.Contains(got, aliceSecret) != c.unknown {
					t.Errorf("the upstream got %s", got)
				}
				if !strings.Contains(got, "stays") || !strings.Contains(got, "Openai-Beta") {
					t.Errorf("more than the credential was dropped: %s", got)
				}
			})
		})
	}
}

func TestCarrier_IsMaskedWhereItIsQuoted(t *testing.T) {
	quotes := map[string]func(w http.ResponseWriter, text string){
		"an error": func(w http.ResponseWriter, text string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(400)
			said, _ := json.Marshal(text)
			_, _ = fmt.Fprintf(w, `{"error":{"message":%s,"code":%[1]s,"type":%[1]s,"param":%[1]s}}`, said)
		},
		"a stream": func(w http.ResponseWriter, text string) {
			w.Header().Set("Content-Type", "text/event-stream")
			said, _ := json.Marshal(text)
			_, _ = io.WriteString(w, delta("a")+`data: {"error":{"message":`+string(said)+`}}`+"\n\n")
		},
		"a redirect": func(w http.ResponseWriter, text string) {
			w.Header().Set("Location", "https://elsewhere.test/?key="+url.QueryEscape(text))
			w.WriteHeader(307)
		},
	}
	for name, quote := range quotes {
		t.Run(name, func(t *testing.T) {
			forEachCarrier(t, func(t *testing.T, c carried) {
				if c.hop {
					return
				}
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					_, _ = io.Copy(io.Discard, r.Body)
					quote(w, aliceSecret+" in "+r.URL.RawQuery+r.Header.Get(c.header))
				})
				r := g.callAs(c, aliceSecret)
				r.Body = io.NopCloser(strings.NewReader(streamBody))
				r.ContentLength = int64(len(streamBody))
				resp, err := g.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				told, _ := json.Marshal(g.status())
				for where, text := range map[string]string{"log": g.log.String(), "metrics": g.metricsText(), "status": string(told)} {
					if strings.Contains(text, "PLANTED") {
						t.Errorf("the %s has it: %s", where, text)
					}
				}
			})
		})
	}
}

func TestCarrier_OfTheConfigurationIsLentToNobodyUnseen(t *testing.T) {
	for name, c := range carriers {
		t.Run(name, func(t *testing.T) {
			u := settings.Upstream{AuthHeader: "Authorization"}
			if c.header != "" {
				u.Headers = []settings.Pair{{Name: c.header, Value: fmt.Sprintf(c.value, aliceSecret)}}
			} else {
				pairs, _ := url.ParseQuery(strings.ReplaceAll(fmt.Sprintf(c.query, aliceSecret), ";", "&"))
				for name := range pairs {
					u.Query = append(u.Query, settings.Pair{Name: name, Value: pairs[name][len(pairs[name])-1]})
				}
			}
			if !u.LendsKey() {
				t.Error("not seen")
			}
		})
	}
}

// What changes by itself must split nothing: the same caller is the same.
func TestCarrier_HarmlessHeadersTellNobodyApart(t *testing.T) {
	for _, name := range []string{
		"User-Agent", "Accept-Encoding", "Traceparent", "Tracestate", "Baggage", "X-Request-Id", "X-Stainless-Read-Timeout", "X-Stainless-Runtime-Version",
		"Date", "X-B3-SpanId", "Sentry-Trace", "X-Client-Request-Id",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := carried{header: name, value: "%s"}
				g := newBubble(t, numbered(0))
				for _, path := range []string{"/v1/chat/completions", "/v1/files"} {
					for i, secret := range []string{"600", "601"} {
						r := g.request(http.MethodPost, path, chatBody)
						resp, _ := g.do(c.set(with(r, "Idempotency-Key: one"+path), secret))
						if source := resp.Header.Get("x-outrigger-source"); resp.StatusCode != 200 || (source == "replay") != (i == 1) {
							t.Errorf("%s: call %d got %d from %s", path, i, resp.StatusCode, source)
						}
					}
				}
			})
			synctest.Test(t, func(t *testing.T) {
				c := carried{header: name, value: "%s"}
				g := newBubble(t, apiError(401))
				g.do(g.callAs(c, "600"))
				if resp, _ := g.do(g.callAs(c, "601")); resp.Header.Get("x-outrigger-source") != "tripped" {
					t.Error("the refusal of the same key is not remembered")
				}
			})
		})
	}
}

// A balancer's cookie changes by itself, too.
func TestCarrier_ABalancersCookieSplitsNoLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine)
		for _, value := range []string{"a", "b"} {
			g.do(with(g.request(http.MethodPost, "/v1/chat/completions", chatBody), "Cookie: __cf_bm="+value))
		}
		if got := len(g.status().Upstreams[0].Limits); got != 1 {
			t.Errorf("%d limiters", got)
		}
	})
}

// Nor does what is asked for make another caller, for whom a dead key would be asked about.
func TestCarrier_ADeadKeyIsDeadWhateverItAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, apiError(401))
		g.do(with(g.request(http.MethodPost, "/v1/chat/completions", chatBody), "Accept: application/json"))
		for _, r := range []*http.Request{
			with(g.request(http.MethodGet, "/v1/files?limit=10&after=file-1", ""), "Accept: */*"),
			with(g.request(http.MethodPost, "/v1/embeddings", `{"model":"m","input":"a"}`), "OpenAI-Beta: x"),
		} {
			if resp, _ := g.do(r); resp.Header.Get("x-outrigger-source") != "tripped" {
				t.Errorf("%s reached the upstream", r.URL)
			}
		}
	})
}

// Answers that are kept for those who wait in vain quote their request as well.
func TestCarrier_AKeptAnswerIsNoOtherCallers(t *testing.T) {
	quoting := func(status int, code, text string) script {
		return func(w http.ResponseWriter, r *http.Request, n int) {
			said, _ := json.Marshal(text + " for " + r.Header.Get("X-Acme-Who") + r.Header.Get("Authorization"))
			answers(status, `{"error":{"code":"`+code+`","message":`+string(said)+`}}`)(w, r, n)
		}
	}
	for name, upstream := range map[string]script{
		"a model that is loading":      quoting(503, "loading", "Model is currently loading"),
		"refusals that never clear":    quoting(429, "rate_limit_exceeded", "Rate limit reached"),
		"an exhausted quota":           quoting(429, "insufficient_quota", "You exceeded your current quota"),
		"a model that must not be had": quoting(403, "model_not_found", "Project does not have access to model"),
	} {
		for header, value := range map[string]string{"X-Acme-Who": "%s", "Authorization": "Bearer %s"} {
			t.Run(name+"/"+header, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := carried{header: header, value: value}
					g := newBubble(t, upstream, realBackoff)
					done := make(chan struct{})
					go func() {
						defer close(done)
						for range 40 {
							resp, err := g.client.Do(g.callAs(c, aliceSecret, "X-Stainless-Read-Timeout: 5"))
							if err == nil {
								_, _ = io.Copy(io.Discard, resp.Body)
								resp.Body.Close()
							}
						}
					}()
					for range 40 {
						if _, body := g.do(g.callAs(c, bobSecret, "X-Stainless-Read-Timeout: 5")); strings.Contains(body, aliceSecret) {
							t.Fatalf("got another's %s", body)
						}
					}
					<-done
				})
			})
		}
	}
}

func TestCarrier_IsMaskedInPathsAndInOutriggersOwnErrors(t *testing.T) {
	const key = "sk-proj-PLANTED0123456789"
	for name, tt := range map[string]struct {
		path string
		edit func(r *http.Request)
	}{
		"a path":            {path: "/v1/" + key + "/chat/completions"},
		"a parameter of it": {path: "/v1/x;api_key=PLANTED0123456789/y"},
		"an upstream":       {path: "/@" + key + "/v1/models"},
		"a host":            {path: "/v1/models", edit: func(r *http.Request) { r.Host = key + ".test" }},
		"an origin":         {path: "/v1/models", edit: func(r *http.Request) { r.Header.Set("Origin", "https://"+key+".test") }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, fine, func(c *settings.Config) { c.Callers.Listen = "127.0.0.1:8383" })
				r := g.request(http.MethodGet, tt.path, "")
				if tt.edit != nil {
					tt.edit(r)
				}
				_, body := g.do(r)
				if text := g.log.String() + body; strings.Contains(text, "PLANTED") || !strings.Contains(text, "[key]") {
					t.Errorf("it is told: %s", text)
				}
			})
		})
	}
}

func TestLocation_HasNoParameterOfTheConfiguration(t *testing.T) {
	for name, base := range map[string]string{"its own origin": "", "another": "https://elsewhere.test"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					w.Header().Set("Location", base+"/v1/other?"+r.URL.RawQuery)
					w.WriteHeader(http.StatusFound)
				}, func(c *settings.Config) {
					c.Upstreams[0].Query = []settings.Pair{{Name: "key", Value: "PLANTEDof the operator"}, {Name: "api-version", Value: "1"}}
				})
				resp, _ := g.do(g.request(http.MethodPost, "/v1/chat/completions?a=1&%6Bey=theirs", chatBody))
				if got := resp.Header.Get("Location"); got != base+"/v1/other?a=1" {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}
