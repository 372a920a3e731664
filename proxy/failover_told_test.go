package proxy

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/proxy/settings"
)

func TestWhoAnsweredAndWhyIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, on(everything...), answers(503, overBody), answers(429, quotaBody), answering("third"))
		resp, _ := s.chat()
		for name, want := range map[string]string{
			"x-outrigger-upstream": "third", "x-outrigger-failover": "openai=overloaded, second=quota", "x-outrigger-attempts": "4",
			"x-outrigger-source": "upstream",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		synctest.Wait()
		if log := s.log.String(); !strings.Contains(log, `"upstream":"third"`) || !strings.Contains(log, `"failover":"openai=overloaded, second=quota"`) {
			t.Errorf("the log does not tell: %s", log)
		}
		metrics := s.metricsText()
		for _, want := range []string{
			`outrigger_failovers_total{reason="overloaded",upstream="openai"} 1`, `outrigger_failovers_total{reason="quota",upstream="second"} 1`,
			`outrigger_requests_total{code="200",endpoint="chat.completions",outcome="completed",upstream="third"} 1`,
			`outrigger_retries_total{reason="retry",upstream="openai"} 1`,
			`outrigger_breaker_state{scope="all",upstream="second"} 0`, `outrigger_breaker_state{scope="all",upstream="third"} 0`,
		} {
			if !strings.Contains(metrics, want+"\n") {
				t.Errorf("%s is not among the metrics", want)
			}
		}
		if n := strings.Count(metrics, "outrigger_retries_refused_total{"); n != 0 {
			t.Error("what went on is counted as a refused retry")
		}
		if all := s.status().Upstreams; len(all) != 3 || all[2].Name != "third" {
			t.Errorf("the status has %+v", all)
		}
	})
}

// An upstream's own header of that name is not passed on for Outrigger's.
func TestTheHeaderIsOutriggersOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, nil, answers(200, `{}`, "X-Outrigger-Failover", "x=y"), answering("second"))
		if resp, _ := s.chat(); resp.Header["X-Outrigger-Failover"] != nil {
			t.Errorf("got %v", resp.Header)
		}
	})
}

func TestABodyThatCanBeSentOnceGoesToOneUpstream(t *testing.T) {
	tests := map[string]struct {
		first  script
		before func(*several)
		want   seen
	}{
		"that fails":              {answers(503, overBody), func(*several) {}, seen{503, "openai", "", "over", [3]int64{1, 0}}},
		"the next, if one is out": {answers(503, overBody), func(s *several) { openFirst(s) }, seen{200, "second", "openai=breaker", "", [3]int64{10, 1}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 1024, 0 }, tt.first, answering("second"))
				tt.before(s)
				if got := s.call(http.MethodPost, "/v1/files", strings.Repeat("x", 64<<10)); got != tt.want {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
			})
		})
	}
}

// openFirst opens the first upstream's breaker.
func openFirst(s *several) {
	s.t.Helper()
	for s.proxy.gen().Upstreams[0].Gate.Breaker.State() == policy.Closed {
		s.do(s.request(http.MethodGet, "/@openai/v1/models", ""))
	}
}

func TestOneDeadlineHoldsForAllUpstreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, func(c *settings.Config) { c.Timeouts.Total, c.Timeouts.Attempt = 12*time.Second, 4*time.Second }, unanswered, unanswered, unanswered)
		start := time.Now()
		got := s.call(http.MethodPost, chatPath, chatBody)
		if got.Status != 504 || got.Code != "upstream_timeout" || got.Failover != "openai=overloaded, second=overloaded" {
			t.Errorf("got %+v", got)
		}
		if took := time.Since(start); took > 12*time.Second || took < 9*time.Second {
			t.Errorf("took %s, want until the deadline of 12s, and not beyond", took)
		}
	})
}

func TestAStreamThatBeginsWithAnErrorIsHadFromTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := func(text string) script {
			return func(w http.ResponseWriter, r *http.Request, _ int) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, text)
			}
		}
		whole := delta("a") + secondStream
		s := newSeveral(t, nil, stream("data: "+overBody+"\n\n"), stream(whole))
		resp, body := s.do(s.request(http.MethodPost, chatPath, streamBody))
		if resp.StatusCode != 200 || body != whole || resp.Header.Get("x-outrigger-upstream") != "second" {
			t.Errorf("got %d %q from %s", resp.StatusCode, body, resp.Header.Get("x-outrigger-upstream"))
		}
	})
}

// Failover by breaker alone: the retries are the first upstream's until it opens.
func TestFailoverByBreakerAloneGoesOnWhenItOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, on(policy.FailoverBreaker), answers(503, overBody), answering("second"))
		var got []seen
		for _, text := range [...]string{"one", "two", "three"} { // a repeat would get one attempt
			got = append(got, s.call(http.MethodPost, chatPath, strings.Replace(chatBody, "hi", text, 1)))
		}
		if got[0].Status != 503 || got[0].Calls != [3]int64{5, 0} {
			t.Errorf("at first %+v", got[0])
		}
		if want := (seen{200, "second", "openai=breaker", "", [3]int64{10, 1}}); got[2] != want {
			t.Errorf("in the end %+v, want %+v", got[2], want)
		}
	})
}

func TestACallerThatLeavesIsTakenNowhereElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, on(everything...), unanswered, answering("second"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := s.request(http.MethodPost, chatPath, chatBody).WithContext(ctx)
		if resp, err := s.client.Do(r); err == nil {
			resp.Body.Close()
			t.Fatalf("got %d", resp.StatusCode)
		}
		time.Sleep(time.Minute)
		if s.times() != [3]int64{1, 0} || s.inflight() != 0 {
			t.Errorf("calls %v, %d in flight", s.times(), s.inflight())
		}
	})
}

// A large body on disk, renamed, is the same at the second upstream as it would have
// been at the first.
func TestALargeBodyIsSentAgainWholeToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := []byte(`{"model":"gpt-4o","messages":"` + strings.Repeat("x", 3<<20) + `"}`)
		var got []byte
		second := func(w http.ResponseWriter, r *http.Request, _ int) {
			got, _ = io.ReadAll(r.Body)
			_, _ = io.WriteString(w, "{}")
		}
		s := newSeveral(t, func(c *settings.Config) {
			c.Upstreams[1].Models = []settings.Model{{Requested: "gpt-4o", Sent: "a-much-longer-name"}}
		}, answers(503, overBody), second)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+chatPath, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if resp, text := s.do(r); resp.StatusCode != http.StatusOK {
			t.Fatalf("got %d %.200s", resp.StatusCode, text)
		}
		if want := bytes.Replace(body, []byte("gpt-4o"), []byte("a-much-longer-name"), 1); !bytes.Equal(got, want) {
			t.Errorf("%d bytes arrived, want %d", len(got), len(want))
		}
	})
}
