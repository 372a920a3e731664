package proxy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/settings"
)

// refusal is one real answer of the corpus.
type refusal struct {
	Provider, Name, Body, Scope, Action, Phase string

	Status  int
	Headers map[string]string
	Retry   bool
}

// corpus returns the rows that a condition picks.
func corpus(t *testing.T, pick func(refusal) bool) map[string]refusal {
	t.Helper()
	f, err := os.Open("../policy/classify/testdata/errors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := map[string]refusal{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r refusal
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if pick(r) {
			rows[r.Provider+"/"+r.Name] = r
		}
	}
	return rows
}

// script answers with the row to one key, and well to others or once mended.
func (r refusal) script(mended *atomic.Bool) script {
	return func(w http.ResponseWriter, req *http.Request, n int) {
		if req.Header.Get("Authorization") != "Bearer sk-test" || mended.Load() {
			fine(w, req, n)
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		h := w.Header()
		for name, value := range r.Headers {
			h.Set(name, value)
		}
		if strings.HasPrefix(r.Phase, "stream") {
			h.Set("Content-Type", "text/event-stream")
		}
		h.Set("X-Request-Id", "req_dead")
		h.Set("Set-Cookie", "a=b")
		h.Set("X-Ratelimit-Remaining-Requests", "0")
		if r.Status != http.StatusPaymentRequired { // there it would say that waiting helps
			h.Set("Retry-After", "1")
			h.Set("Retry-After-Ms", "1000")
		}
		w.WriteHeader(r.Status)
		_, _ = io.WriteString(w, r.Body)
	}
}

// of the moment, and Outrigger's own: not the same for all callers.
func lasting(h http.Header) http.Header {
	h = h.Clone()
	for name := range h {
		switch {
		case name == "Set-Cookie", name == "Retry-After", name == "Retry-After-Ms", name == "Date", name == "Content-Length",
			strings.HasPrefix(name, "X-Ratelimit-"), strings.HasPrefix(name, "X-Outrigger-"):
			delete(h, name)
		}
	}
	return h
}

// dead is how the calls of a dead credential are answered.
type dead struct {
	t      *testing.T
	g      *rig
	status int
	body   string
	header http.Header
}

// remembered sends a call and checks that it is answered from memory.
func (d dead) remembered(method, path, body string) {
	d.t.Helper()
	before := d.g.calls.Load()
	resp, got := d.g.do(d.g.request(method, path, body))
	if resp.StatusCode != d.status || got != d.body || d.g.calls.Load() != before {
		d.t.Errorf("%s %s got %d %q after %d calls, want the remembered %d %q", method, path, resp.StatusCode, got, d.g.calls.Load()-before, d.status, d.body)
	}
	compareHeaders(d.t, lasting(resp.Header), lasting(d.header))
	for name, want := range map[string]string{
		"X-Outrigger-Source": "tripped", "X-Outrigger-Attempts": "0", "X-Outrigger-Upstream": "openai", "X-Should-Retry": "false",
		"Set-Cookie": "", "Retry-After": "", "Retry-After-Ms": "", "X-Ratelimit-Remaining-Requests": "",
	} {
		if got := strings.Join(resp.Header[name], "|"); got != want {
			d.t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// atOnce sends n chats and returns how many got each status.
func (g *rig) atOnce(n int, edit func(*http.Request)) map[int]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[int]int{}
	for range n {
		all.Go(func() {
			r := g.request(http.MethodPost, "/v1/chat/completions", chatBody)
			if edit != nil {
				edit(r)
			}
			status := 0
			if resp, err := g.client.Do(r); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				status = resp.StatusCode
			}
			mu.Lock()
			defer mu.Unlock()
			got[status]++
		})
	}
	all.Wait()
	return got
}

func TestADeadCredentialIsAskedAboutOnceACooldown(t *testing.T) {
	rows := corpus(t, func(r refusal) bool {
		return r.Scope == "credential" && r.Action == "fail_credential" && !r.phraseAlone()
	})
	if len(rows) < 25 {
		t.Fatalf("%d rows", len(rows))
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mended := &atomic.Bool{}
				g := newBubble(t, row.script(mended), func(c *settings.Config) { c.Limit.Learn = false })
				resp, body := g.chat()
				d := dead{t, g, resp.StatusCode, body, resp.Header}
				if g.calls.Load() != 1 || resp.Header.Get("X-Outrigger-Source") != "upstream" || resp.StatusCode < 400 {
					t.Fatalf("the first got %d %v after %d calls", resp.StatusCode, resp.Header, g.calls.Load())
				}
				if row.Status >= 400 && (resp.StatusCode != row.Status || body != row.Body) {
					t.Errorf("the first got %d %q, want %d %q", resp.StatusCode, body, row.Status, row.Body)
				}
				for range 3 {
					d.remembered("POST", "/v1/chat/completions", chatBody)
				}
				d.remembered("POST", "/v1/embeddings", `{"model":"other"}`)
				d.remembered("POST", "/v1/files", `{}`)
				d.remembered("GET", "/v1/models", "")

				if resp, _ := g.do(with(g.request("POST", "/v1/chat/completions", chatBody), "Authorization: Bearer sk-other")); resp.StatusCode != 200 {
					t.Errorf("another key got %d", resp.StatusCode)
				}
				if resp, _ := g.do(with(g.request("POST", "/v1/chat/completions", chatBody), "Authorization: Bearer sk-test", "OpenAI-Project: p2")); resp.StatusCode != d.status || resp.Header.Get("X-Outrigger-Source") != "upstream" {
					t.Errorf("another project of the same key got %d from %s", resp.StatusCode, resp.Header.Get("X-Outrigger-Source"))
				}

				time.Sleep(g.proxy.gen().Config.TripCooldown - time.Second) // the bubble's clock
				d.remembered("POST", "/v1/chat/completions", chatBody)
				time.Sleep(time.Second)
				before := g.calls.Load()
				if got := g.atOnce(10, nil); got[d.status] != 10 || g.calls.Load() != before+1 {
					t.Errorf("after the cooldown ten got %v with %d probes, want one", got, g.calls.Load()-before)
				}
				d.remembered("POST", "/v1/chat/completions", chatBody)

				mended.Store(true)
				time.Sleep(g.proxy.gen().Config.TripCooldown)
				if got := g.atOnce(1, nil); got[200] != 1 {
					t.Errorf("the good probe got %v", got)
				}
				if got := g.atOnce(4, nil); got[200] != 4 {
					t.Errorf("after a good probe four got %v", got)
				}
			})
		})
	}
}

func TestAModelThatIsRefusedDoesNotStopOthers(t *testing.T) {
	rows := corpus(t, func(r refusal) bool { return r.Scope == "model" && r.Action == "fail_model" && r.Status != 400 })
	if len(rows) < 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				refuse := row.script(&atomic.Bool{})
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					body, _ := io.ReadAll(r.Body)
					if strings.Contains(string(body), "gpt-4o-mini") {
						refuse(w, r, n)
						return
					}
					fine(w, r, n)
				}, func(c *settings.Config) { c.Limit.Learn = false })
				resp, body := g.chat()
				dead{t, g, resp.StatusCode, body, resp.Header}.remembered("POST", "/v1/chat/completions", chatBody)
				for _, other := range []call{{"POST", "/v1/chat/completions", `{"model":"gpt-5"}`}, {"GET", "/v1/models", ""}, {"POST", "/v1/files", "{}"}} {
					if resp, _ := g.do(g.request(other.method, other.path, other.body)); resp.StatusCode != 200 {
						t.Errorf("%s got %d", other, resp.StatusCode)
					}
				}
			})
		})
	}
}

func TestWhatSaysNothingAboutTheKeyIsNotRemembered(t *testing.T) {
	rows := corpus(t, func(r refusal) bool { return r.Status == 404 })
	for name, r := range map[string]refusal{
		"missing scope, 401": {Status: 401, Body: `{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: model.request. Check that you have the correct role in your organization.","type":"invalid_request_error","param":null,"code":"missing_scope"}}`},
		"missing scope, 403": {Status: 403, Body: `{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.files.write.","type":"invalid_request_error","param":null,"code":null}}`},
		"a bad request":      {Status: 400, Body: `{"error":{"message":"'messages' is a required property","type":"invalid_request_error","param":null,"code":null}}`},
		"a rejected prompt":  {Status: 403, Body: `{"error":{"message":"Your request was rejected as a result of our safety system.","type":"invalid_request_error","param":null,"code":"content_policy_violation"}}`},
		"too large":          {Status: 413, Body: `{"error":{"message":"Request too large","type":"invalid_request_error","param":null,"code":null}}`},
		"a failure":          {Status: 500, Body: `{"error":{"message":"quota service failed","type":"server_error","param":null,"code":null}}`, Headers: map[string]string{"X-Should-Retry": "false"}},
	} {
		rows[name] = r
	}
	if len(rows) < 10 {
		t.Fatalf("%d rows", len(rows))
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, row.script(&atomic.Bool{}), func(c *settings.Config) { c.Limit.Learn = false })
				for i := range 3 {
					resp, body := g.chat()
					if resp.StatusCode != row.Status || body != row.Body || resp.Header.Get("X-Outrigger-Source") != "upstream" || g.calls.Load() != int64(i+1) {
						t.Errorf("call %d got %d %q from %s", i+1, resp.StatusCode, body, resp.Header.Get("X-Outrigger-Source"))
					}
				}
			})
		})
	}
}

const deadKey = `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`

func TestThoseOnTheirWayGetTheirOwnAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if r.URL.Path == "/v1/slow" {
				<-release
				fine(w, r, n)
				return
			}
			answers(401, deadKey)(w, r, n)
		}, func(c *settings.Config) { c.Limit.Learn = false })
		got := make(chan int, 1)
		go func() {
			resp, err := g.client.Do(g.request("GET", "/v1/slow", ""))
			if err != nil {
				got <- 0
				return
			}
			resp.Body.Close()
			got <- resp.StatusCode
		}()
		synctest.Wait()
		resp, body := g.chat()
		d := dead{t, g, resp.StatusCode, body, resp.Header}
		d.remembered("POST", "/v1/chat/completions", chatBody)
		close(release)
		if status := <-got; status != 200 {
			t.Errorf("the one on its way got %d", status)
		}
		// It began before the trip, so it proves nothing against it.
		d.remembered("POST", "/v1/chat/completions", chatBody)
	})
}

func TestThoseThatWaitMeanwhileAreAnsweredFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			<-release
			answers(401, deadKey)(w, r, n)
		}, func(c *settings.Config) { c.Limit.Learn, c.MaxInflight = false, 1 })
		go func() { synctest.Wait(); close(release) }()
		if got := g.atOnce(10, nil); got[401] != 10 || g.calls.Load() != 1 {
			t.Errorf("ten at once got %v after %d calls", got, g.calls.Load())
		}
	})
}

func TestAProbeWhoseCallerLeavesIsAnothersTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 2 {
				silence(w, r, n)
				return
			}
			then(1, answers(401, deadKey))(w, r, n)
		}, func(c *settings.Config) { c.Limit.Learn = false })
		resp, body := g.chat()
		d := dead{t, g, resp.StatusCode, body, resp.Header}
		time.Sleep(g.proxy.gen().Config.TripCooldown) // the bubble's clock
		ctx, leave := context.WithCancel(t.Context())
		g.background(g.request("POST", "/v1/chat/completions", chatBody).WithContext(ctx))
		synctest.Wait()
		d.remembered("POST", "/v1/chat/completions", chatBody)
		leave()
		synctest.Wait()
		if resp, _ := g.chat(); resp.StatusCode != 200 || g.calls.Load() != 3 {
			t.Errorf("the next got %d after %d calls", resp.StatusCode, g.calls.Load())
		}
	})
}

func TestAProbeThatFailsOtherwiseProvesNothing(t *testing.T) {
	for name, fail := range map[string]script{"500": apiError(500), "no answer": hangUp} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					if n == 1 {
						answers(401, deadKey)(w, r, n)
						return
					}
					fail(w, r, n)
				}, func(c *settings.Config) { c.Limit.Learn, c.Retry.Max = false, 0 })
				g.chat()
				time.Sleep(g.proxy.gen().Config.TripCooldown) // the bubble's clock
				if resp, _ := g.chat(); resp.StatusCode < 500 {
					t.Errorf("the probe got %d", resp.StatusCode)
				}
				if n := len(g.status().Upstreams[0].Trips); n != 1 {
					t.Errorf("%d trips are remembered", n)
				}
			})
		})
	}
}

// Trips end at any moment, also between the look at one and the answer from it.
func TestTripsThatEndAtOnceAreNoTrouble(t *testing.T) {
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
		answers(401, deadKey)(w, r, n)
	}, func(c *settings.Config) { c.Limit.Learn, c.MaxInflight, c.TripCooldown = false, 2, 30*time.Microsecond })
	for i := range 20 {
		if got := g.atOnce(25, func(r *http.Request) { r.Header.Set("Authorization", fmt.Sprint("Bearer ", i)) }); got[401] != 25 {
			t.Fatalf("got %v", got)
		}
	}
}

// phraseAlone reports whether only the wording of a row says that its account is dead: its status is that of a bad request, and
// it has no code that says so.
func (r refusal) phraseAlone() bool {
	h := http.Header{}
	for name, value := range r.Headers {
		h.Set(name, value)
	}
	v := classify.Classify(classify.Attempt{Status: r.Status, Header: h, Body: []byte(r.Body), Effect: endpoint.Compute})
	return (r.Status == 400 || r.Status == 412) && !v.Trip
}

// What only a phrase says ends its own call. The phrase may be a caller's, so nobody else is answered by it.
func TestADeadCredentialThatOnlyAPhraseTellsOfIsNotRemembered(t *testing.T) {
	rows := corpus(t, func(r refusal) bool {
		return r.Scope == "credential" && r.Action == "fail_credential" && r.phraseAlone()
	})
	if len(rows) < 2 {
		t.Fatalf("%d rows", len(rows))
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, row.script(&atomic.Bool{}))
				for n := range int64(3) {
					resp, body := g.chat()
					if resp.StatusCode != row.Status || body != row.Body || g.calls.Load() != n+1 || resp.Header.Get("X-Outrigger-Source") != "upstream" {
						t.Errorf("call %d got %d %q after %d calls", n+1, resp.StatusCode, body, g.calls.Load())
					}
				}
			})
		})
	}
}
