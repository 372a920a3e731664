package proxy

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/policy"
	"outrigger/proxy/settings"
)

// The first upstream is said to recognise a repeated create by its key. The second,
// to which a later call would go while the first is down, cannot.
func TestACreateThatMayBeDoneAtOneUpstreamIsNotDoneAtTheNextByItsKey(t *testing.T) {
	always := func(c *settings.Config) {
		c.Retry.Creates, c.Retry.Max = policy.CreatesAlways, 0
		c.Breaker.Consecutive, c.Breaker.Open = 1, time.Hour
	}
	tests := map[string]struct {
		path string
		want given
		hits [3]int64
	}{
		"it could go to both": {createPath, given{409, "local", "0", "false", "", "idempotency_outcome_unknown"}, [3]int64{1, 0}},
		"it can go to one":    {"/@openai" + createPath, given{503, "local", "0", "", "", "circuit_open"}, [3]int64{1, 0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, always, resetting, answering("second"))
				if got := s.ask(s.keyed("k", tt.path, createBody)); got.body != "upstream_ambiguous" {
					t.Errorf("at first %+v", got)
				}
				if got := s.ask(s.keyed("k", tt.path, createBody)); got != tt.want || s.times() != tt.hits {
					t.Errorf("then %+v after %v calls", got, s.times())
				}
			})
		})
	}
}

// An answer of which only the status came leaves a create as uncertain as none.
func TestACreateWhoseFailureHasNoBodyMayHaveBeenCarriedOut(t *testing.T) {
	mute := func(w http.ResponseWriter, r *http.Request, _ int) {
		_ = readAll(r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(500)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for path, want := range map[string]given{
		createPath:             {424, "local", "1", "false", "", "upstream_ambiguous"},
		"/v1/chat/completions": {502, "local", "1", "", "", "upstream_broke"},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, mute, func(c *settings.Config) { c.Retry.Max, c.Retry.ClientRetries = 0, policy.ClientRetriesAllow })
			if got := g.ask(g.request(http.MethodPost, path, chatBody)); got != want {
				t.Errorf("%s: got %+v, want %+v", path, got, want)
			}
		})
	}
}

// A failure for which the verdict is not to repeat is no proof either.
func TestClientsAreKeptFromRepeatingACreateThatFailedForHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(500, `{"error":{"code":"x"}}`, "Retry-After", "9000"), func(c *settings.Config) { c.Retry.ClientRetries = policy.ClientRetriesAllow })
		if got := g.ask(g.request(http.MethodPost, createPath, createBody)); got.status != 500 || got.retry != "false" {
			t.Errorf("a create: %+v", got)
		}
		if got := g.ask(g.request(http.MethodPost, "/v1/chat/completions", chatBody)); got.status != 500 || got.retry != "" {
			t.Errorf("a compute: %+v", got)
		}
	})
}

// A call that is made apart from its caller is counted and logged as any other.
func TestTheModelOfACallWithAKeyIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(200, `{"usage":{"prompt_tokens":3,"completion_tokens":4}}`, "Content-Type", "application/json"), func(c *settings.Config) {
			c.Upstreams[0].Models = []settings.Model{{Requested: "gpt-4o-mini", Sent: "small"}}
		})
		g.ask(g.keyed("k", "/v1/chat/completions", chatBody))
		synctest.Wait()
		if text, log := g.metricsText(), g.log.String(); !strings.Contains(text, `outrigger_tokens_total{kind="input",model="small",upstream="openai"} 3`) ||
			!strings.Contains(log, `"sent_model":"small"`) {
			t.Errorf("%s\n%s", text, log)
		}
	})
}

// The request goes to the second as the probe of a dead key, gets no further, and is
// given the first one's answer: the next request may probe.
func TestAProbeThatIsNotSentIsLeftToOthersAfterFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, func(c *settings.Config) {
			c.Failover, c.Retry.Max, c.TripCooldown = everything, 0, time.Minute
			c.Upstreams[1].APIKey = values.NewSecret("sk-second")
			c.Upstreams[1].MaxInflight = 1
		}, answers(503, overBody), func(w http.ResponseWriter, r *http.Request, n int) {
			switch n {
			case 1:
				answers(401, `{"error":{"code":"invalid_api_key"}}`)(w, r, n)
			case 2:
				time.Sleep(10 * time.Second)
				fallthrough
			default:
				answering("second")(w, r, n)
			}
		})
		second := func(headers ...string) int {
			return s.ask(with(s.request(http.MethodPost, "/@second/v1/chat/completions", chatBody), headers...)).status
		}
		if status := second(); status != 401 {
			t.Fatalf("at first %d", status)
		}
		time.Sleep(time.Minute)
		done := make(chan int)
		go func() { done <- second("OpenAI-Organization: another") }() // has the only slot for 10 s
		synctest.Wait()
		got := s.ask(with(s.request(http.MethodPost, "/v1/chat/completions", chatBody), "X-Stainless-Read-Timeout: 3"))
		if got.status != 503 || got.source != "upstream" {
			t.Errorf("in between %+v", got)
		}
		if status := <-done; status != 200 {
			t.Errorf("who has the slot gets %d", status)
		}
		if status := second(); status != 200 {
			t.Errorf("the next one gets %d, and could have been the probe", status)
		}
	})
}

// The second's breaker is open and a probe of it is due: the request that the first
// has failed is that probe, and does not wait for another one.
func TestARequestThatGoesOnToAnOpenBreakerIsItsProbe(t *testing.T) {
	for name, path := range map[string]string{"left for its failure": "", "left for its breaker": "/@openai"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, func(c *settings.Config) {
					c.Retry.Max, c.Breaker.Consecutive, c.Breaker.Open = 0, 1, 4*time.Second
				}, answers(503, overBody), then(1, answers(503, overBody)))
				s.call(http.MethodPost, "/@second/v1/chat/completions", chatBody)
				waited := s.ask(with(s.request(http.MethodPost, "/@second/v1/chat/completions", chatBody), "X-Stainless-Read-Timeout: 1"))
				if waited.body != "circuit_open" {
					t.Fatalf("got %+v", waited)
				}
				time.Sleep(time.Minute)
				if path != "" {
					s.call(http.MethodPost, path+"/v1/chat/completions", chatBody)
				}
				start := time.Now()
				if got := s.call(http.MethodPost, "/v1/chat/completions", chatBody); got.Status != 200 || got.Upstream != "second" {
					t.Errorf("got %+v", got)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
