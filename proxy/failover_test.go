package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/policy"
	"outrigger/proxy/settings"
)

const (
	chatPath   = "/v1/chat/completions"
	quotaBody  = `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`
	rateBody   = `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`
	overBody   = `{"error":{"message":"overloaded","type":"server_error","code":"over"}}`
	createPath = "/v1/vector_stores" // refers to nothing, so it may go anywhere
	createBody = `{"name":"mine"}`
)

// everything is every cause there is.
var everything = policy.Failover{
	policy.FailoverBreaker, policy.FailoverUnreachable, policy.FailoverOverloaded, policy.FailoverRateLimited, policy.FailoverQuota,
}

func TestNoCallerSeesAFailureThatFailoverNames(t *testing.T) {
	closed := func(s *several) { _ = s.wires[0].Close() }
	tests := map[string]struct {
		first  script
		before func(*several)
		cause  policy.FailoverCause
		calls  int64 // of the first
	}{
		"refused connections":         {nil, closed, policy.FailoverUnreachable, 0},
		"503 gets one retry":          {answers(503, overBody), nil, policy.FailoverOverloaded, 2},
		"500 too":                     {answers(500, overBody), nil, policy.FailoverOverloaded, 2},
		"529 too":                     {answers(529, overBody), nil, policy.FailoverOverloaded, 2},
		"429 for want of capacity":    {answers(429, `{"error":{"type":"engine_overloaded_error"}}`), nil, policy.FailoverOverloaded, 2},
		"503 that names a long wait":  {answers(503, overBody, "Retry-After", "20"), nil, policy.FailoverOverloaded, 1},
		"503 for the next hours":      {answers(503, overBody, "Retry-After", "9000"), nil, policy.FailoverOverloaded, 1},
		"503 not to be repeated":      {answers(503, overBody, "X-Should-Retry", "false"), nil, policy.FailoverOverloaded, 1},
		"504":                         {answers(504, `{"error":{"code":"over"}}`), nil, policy.FailoverOverloaded, 1},
		"silence":                     {unanswered, nil, policy.FailoverOverloaded, 1},
		"connections that break":      {resetting, nil, policy.FailoverOverloaded, 2},
		"a rate limit":                {answers(429, rateBody, "Retry-After", "5"), nil, policy.FailoverRateLimited, 1},
		"a rate limit without a time": {answers(429, rateBody), nil, policy.FailoverRateLimited, 1},
		"no quota":                    {answers(429, quotaBody), nil, policy.FailoverQuota, 1},
		"a dead key":                  {answers(401, `{"error":{"code":"invalid_api_key"}}`), nil, policy.FailoverQuota, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, func(c *settings.Config) { c.Failover, c.Timeouts.Attempt = everything, 3*time.Second }, tt.first, answering("second"))
				if tt.before != nil {
					tt.before(s)
				}
				want := seen{Status: 200, Upstream: "second", Failover: "openai=" + string(tt.cause), Calls: [3]int64{tt.calls, 1}}
				if got := s.call(http.MethodPost, chatPath, chatBody); got != want {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
			})
		})
	}
}

func TestACauseThatIsNotNamedStaysWhereItIs(t *testing.T) {
	tests := map[string]struct {
		first script
		on    policy.Failover
		want  seen
	}{
		"none": {
			answers(503, overBody), nil, seen{Status: 503, Upstream: "openai", Code: "over", Calls: [3]int64{5}},
		},
		"overload": {
			answers(503, overBody), policy.Failover{policy.FailoverUnreachable, policy.FailoverQuota}, seen{Status: 503, Upstream: "openai", Code: "over", Calls: [3]int64{5}},
		},
		"quota": {
			answers(429, quotaBody), policy.Failover{policy.FailoverOverloaded, policy.FailoverRateLimited}, seen{Status: 429, Upstream: "openai", Code: "insufficient_quota", Calls: [3]int64{1}},
		},
		"a path that is not there": {
			answers(404, `{"error":{"code":"nope"}}`), everything, seen{Status: 404, Upstream: "openai", Code: "nope", Calls: [3]int64{1}},
		},
		"a model that is not there": {
			answers(404, `{"error":{"code":"model_not_found"}}`), everything, seen{Status: 404, Upstream: "openai", Code: "model_not_found", Calls: [3]int64{1}},
		},
		"a method that is not": {
			answers(405, `{"error":{"code":"nope"}}`), everything, seen{Status: 405, Upstream: "openai", Code: "nope", Calls: [3]int64{1}},
		},
		"501": {
			answers(501, `{"error":{"code":"nope"}}`), everything, seen{Status: 501, Upstream: "openai", Code: "nope", Calls: [3]int64{1}},
		},
		"a request at fault": {
			answers(400, `{"error":{"code":"nope"}}`), everything, seen{Status: 400, Upstream: "openai", Code: "nope", Calls: [3]int64{1}},
		},
		"a conflict": {
			answers(409, `{"error":{"code":"nope"}}`), everything, seen{Status: 409, Upstream: "openai", Code: "nope", Calls: [3]int64{5}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, on(tt.on...), tt.first, answering("second"))
				if got := s.call(http.MethodPost, chatPath, chatBody); got != tt.want {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
				if state := s.status().Upstreams[0].Breaker; state != "closed" {
					t.Errorf("the breaker is %s", state)
				}
			})
		})
	}
}

func TestACreateGoesOnOnlyIfItSurelyWasNotCarriedOut(t *testing.T) {
	tests := map[string]struct {
		first  script
		edit   func(*settings.Config)
		before func(*several)
		want   seen
	}{
		"refused connections": {nil, nil, func(s *several) { _ = s.wires[0].Close() }, seen{200, "second", "openai=unreachable", "", [3]int64{0, 1}}},
		"503":                 {answers(503, overBody), nil, nil, seen{200, "second", "openai=overloaded", "", [3]int64{2, 1}}},
		"no quota":            {answers(429, quotaBody), nil, nil, seen{200, "second", "openai=quota", "", [3]int64{1, 1}}},
		"a rate limit":        {answers(429, rateBody), nil, nil, seen{200, "second", "openai=rate_limited", "", [3]int64{1, 1}}},
		"500":                 {answers(500, overBody), nil, nil, seen{500, "openai", "", "over", [3]int64{1}}},
		"504":                 {answers(504, `{"error":{"code":"over"}}`), nil, nil, seen{504, "openai", "", "over", [3]int64{1}}},
		"500 for hours":       {answers(500, overBody, "Retry-After", "9000"), nil, nil, seen{500, "openai", "", "over", [3]int64{1}}},
		"a lost connection":   {resetting, nil, nil, seen{424, "openai", "", "upstream_ambiguous", [3]int64{1}}},
		"silence":             {unanswered, nil, nil, seen{424, "openai", "", "upstream_ambiguous", [3]int64{1}}},
		"500 and then 503, and the operator repeats creates": {
			func(w http.ResponseWriter, r *http.Request, call int) {
				answers(map[bool]int{true: 500, false: 503}[call == 1], overBody)(w, r, call)
			},
			func(c *settings.Config) { c.Retry.Creates = policy.CreatesAlways }, nil,
			seen{503, "openai", "", "over", [3]int64{5}},
		},
		"500, and the operator repeats creates": {
			answers(500, overBody), func(c *settings.Config) { c.Retry.Creates = policy.CreatesAlways }, nil, seen{500, "openai", "", "over", [3]int64{5}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, func(c *settings.Config) {
					c.Failover, c.Timeouts.Attempt = everything, 3*time.Second
					if tt.edit != nil {
						tt.edit(c)
					}
				}, tt.first, answering("second"))
				if tt.before != nil {
					tt.before(s)
				}
				if got := s.call(http.MethodPost, createPath, createBody); got != tt.want {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
			})
		})
	}
}

func TestWhenAllFailTheLastOneIsHeard(t *testing.T) {
	tests := map[string]struct {
		scripts []script
		edit    func(*settings.Config)
		before  func(*several)
		want    seen
	}{
		"both answer": {
			[]script{answers(503, overBody), answers(502, `{"error":{"code":"two"}}`)},
			nil, nil,
			seen{502, "second", "openai=overloaded", "two", [3]int64{2, 5}},
		},
		"three": {
			[]script{answers(503, overBody), answers(503, overBody), answers(500, `{"error":{"code":"three"}}`)},
			nil, nil,
			seen{500, "third", "openai=overloaded, second=overloaded", "three", [3]int64{2, 2, 5}},
		},
		"the second is gone": {
			[]script{answers(503, overBody), nil},
			nil, func(s *several) { _ = s.wires[1].Close() },
			seen{502, "second", "openai=overloaded", "upstream_unreachable", [3]int64{2, 0}},
		},
		"the second's line is too long: the first one's answer": {
			[]script{answers(503, overBody), answering("second")},
			func(c *settings.Config) {
				c.Upstreams[1].RPM, c.Limit.QueueTimeout, c.Upstreams[1].APIKey = 1, time.Second, values.NewSecret("two")
			},
			func(s *several) { s.call(http.MethodPost, "/@second"+chatPath, chatBody) },
			seen{503, "openai", "openai=overloaded", "over", [3]int64{2, 1}},
		},
		"the second has no quota either": {
			[]script{answers(429, quotaBody), answers(429, strings.Replace(quotaBody, `"code":"insufficient_quota"`, `"code":"billing_not_active"`, 1))},
			nil, nil,
			seen{429, "second", "openai=quota", "billing_not_active", [3]int64{1, 1}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, func(c *settings.Config) {
					c.Failover = everything
					if tt.edit != nil {
						tt.edit(c)
					}
				}, tt.scripts...)
				if tt.before != nil {
					tt.before(s)
				}
				if got := s.call(http.MethodPost, chatPath, chatBody); got != tt.want {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
			})
		})
	}
}

func TestAPinnedRequestGoesNowhereElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, on(everything...), answering("first"), answers(503, overBody))
		want := seen{503, "second", "", "over", [3]int64{0, 5}}
		if got := s.call(http.MethodPost, "/@second"+chatPath, chatBody); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestEachUpstreamGetsItsOwnKeyNameAndQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan arrival, 10)
		catch := func(status int) script {
			return func(w http.ResponseWriter, r *http.Request, _ int) {
				var body strings.Builder
				_, _ = body.WriteString(readAll(r))
				got <- arrival{target: r.RequestURI, host: r.Host, body: body.String(), header: r.Header.Clone()}
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "{}")
			}
		}
		s := newSeveral(t, func(c *settings.Config) {
			c.Retry.Max = 0
			c.Upstreams[0].Query = []settings.Pair{{Name: "a", Value: "1"}}
			c.Upstreams[1].APIKey, c.Upstreams[1].AuthHeader = values.NewSecret("two"), "api-key"
			c.Upstreams[1].URL.Path, c.Upstreams[1].Query = "/base", []settings.Pair{{Name: "b", Value: "2"}}
			c.Upstreams[1].Models = []settings.Model{{Requested: "gpt-4o-mini", Sent: "small"}}
			c.Upstreams[2].Headers = []settings.Pair{{Name: "X-Three", Value: "3"}}
		}, catch(503), catch(503), catch(200))
		r := s.request(http.MethodPost, chatPath+"?c=3", chatBody)
		if resp, body := s.do(r); resp.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s", resp.StatusCode, body)
		}
		small := strings.Replace(chatBody, "gpt-4o-mini", "small", 1)
		for i, want := range []struct{ target, host, body, authorization, key, three string }{
			{chatPath + "?c=3&a=1", "upstream.test", chatBody, "Bearer sk-test", "", ""},
			{"/base" + chatPath + "?c=3&b=2", "second.test", small, "", "two", ""},
			{chatPath + "?c=3", "third.test", chatBody, "", "", "3"},
		} {
			a := <-got
			h := a.header
			have := struct{ target, host, body, authorization, key, three string }{
				a.target, a.host, a.body, h.Get("Authorization"), h.Get("Api-Key"), h.Get("X-Three"),
			}
			if have != want {
				t.Errorf("upstream %d: got  %+v\nwant %+v", i+1, have, want)
			}
		}
	})
}

// What the first one's tripped credential is known for costs no attempt there.
func TestADeadCredentialIsPassedOverFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, on(policy.FailoverQuota), answers(429, quotaBody), answering("second"))
		s.call(http.MethodPost, chatPath, chatBody)
		resp, _ := s.chat()
		if n := resp.Header.Get("x-outrigger-attempts"); resp.StatusCode != 200 || n != "1" || s.times() != [3]int64{1, 2} {
			t.Errorf("got %d after %s attempts, calls %v", resp.StatusCode, n, s.times())
		}
		time.Sleep(time.Minute) // the trip's cooldown
		want := seen{200, "second", "openai=quota", "", [3]int64{2, 3}}
		if got := s.call(http.MethodPost, chatPath, chatBody); got != want {
			t.Errorf("after the cooldown: got %+v\nwant %+v", got, want)
		}
	})
}

// The probe of a dead credential that found out nothing leaves the next one to
// another request, also when it found its answer elsewhere.
func TestAProbeOfACredentialThatGoesOnIsAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := func(w http.ResponseWriter, r *http.Request, call int) {
			if call == 1 {
				answers(429, quotaBody)(w, r, call)
				return
			}
			answers(503, overBody)(w, r, call)
		}
		s := newSeveral(t, on(everything...), first, answering("second"))
		s.call(http.MethodPost, chatPath, chatBody)
		time.Sleep(time.Minute)
		s.call(http.MethodPost, chatPath, chatBody)
		want := seen{200, "second", "openai=overloaded", "", [3]int64{5, 3}}
		if got := s.call(http.MethodPost, chatPath, chatBody); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

// What goes on counts as a request where it goes, and its retries are that one's.
func TestEachUpstreamHasABudgetForWhatComesToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := func(w http.ResponseWriter, r *http.Request, call int) {
			if call%2 == 1 {
				answers(503, overBody)(w, r, call)
				return
			}
			answering("second")(w, r, call)
		}
		s := newSeveral(t, func(c *settings.Config) { c.Breaker.Ratio, c.Breaker.Consecutive, c.Retry.Budget = 0, 0, 1 }, nil, second)
		_ = s.wires[0].Close()
		for i := range 100 {
			if got := s.call(http.MethodPost, chatPath, chatBody); got.Status != http.StatusOK {
				t.Fatalf("request %d got %+v", i, got)
			}
		}
	})
}

// A next upstream that would refuse the credential is none: the retries are made
// where there is hope.
func TestAnUpstreamThatRefusesTheCredentialIsNotGoneOnTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := false
		first := func(w http.ResponseWriter, r *http.Request, call int) {
			if failing && call < 4 {
				answers(503, overBody)(w, r, call)
				return
			}
			answering("first")(w, r, call)
		}
		s := newSeveral(t, func(c *settings.Config) { c.Upstreams[1].APIKey = values.NewSecret("two") }, first, answers(429, quotaBody))
		s.call(http.MethodPost, "/@second"+chatPath, chatBody)
		failing = true
		want := seen{200, "openai", "", "", [3]int64{4, 1}}
		if got := s.call(http.MethodPost, chatPath, chatBody); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}
