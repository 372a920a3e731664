package proxy

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/proxy/settings"
)

const (
	agentAI        = "ai/7.0.173 ai-sdk-provider-utils/5.0.81 node.js/v20.20.2"
	agentLangChain = "langchainjs-openai/1.0.0 ((node/v20.20.2; linux; x64))"
	agentJava      = "langchain4j-openai"
)

// patient are waits as they are by default, long enough for 30 s.
func patient(c *settings.Config) {
	c.Retry.Base, c.Retry.Cap, c.Retry.Max = 500*time.Millisecond, 8*time.Second, 10
	c.Breaker.Wait = 30 * time.Second
}

// persist makes a call as a client does that tries again after each of waits, whatever
// it is seenAnswer, and returns what the last try got and how long it took.
func (g *rig) persist(agent string, waits ...float64) (seenAnswer, time.Duration) {
	g.t.Helper()
	start := time.Now()
	got, _ := g.askFor("hi", agent)
	for _, wait := range waits {
		if got.Status < 400 {
			break
		}
		time.Sleep(time.Duration(wait * float64(time.Second)))
		got, _ = g.askFor("hi", agent)
	}
	return got, time.Since(start)
}

func TestSelfRetry_LastingOutageCostsNoMoreCallsThanWithoutOutrigger(t *testing.T) {
	tests := map[string]struct {
		agent string
		waits []float64
	}{
		"AI SDK":                    {agentAI, []float64{2, 4}},
		"LangChain.js, soonest":     {agentLangChain, []float64{1, 2, 4, 8, 16, 32}},
		"LangChain.js, latest":      {agentLangChain, []float64{2, 4, 8, 16, 32, 64}},
		"LangChain.js, as seen":     {agentLangChain, []float64{1.15, 2.2, 5.1, 14.4, 29.2, 60.9}},
		"langchain4j":               {agentJava, []float64{0.6, 0.8}},
		"AI SDK, retries off":       {agentAI, nil},
		"LangChain.js, retries off": {agentLangChain, nil},
	}
	for name, tt := range tests {
		for what, upstream := range map[string]script{"503": answers(503, overBody), "reset": hangUp} {
			t.Run(name+"/"+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, upstream, patient)
					got, took := g.persist(tt.agent, tt.waits...)
					without := max(int64(len(tt.waits)+1), 4) // a client without retries has those made here
					if made := g.calls.Load(); got.Status < 500 || made > without || took < 30*time.Second {
						t.Errorf("%+v after %s and %d attempts, want at most %d, over 30s", got, took, made, without)
					}
				})
			})
		}
	}
}

func TestSelfRetry_OutageOf30sIsSurvived(t *testing.T) {
	for _, agent := range []string{agentAI, agentLangChain, agentJava} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
				if time.Since(start) >= 30*time.Second {
					fine(w, r, call)
					return
				}
				answers(503, overBody)(w, r, call)
			}, patient)
			if got, took := g.persist(agent); got.Status != 200 || took > 31*time.Second {
				t.Errorf("%s: %+v after %s", agent, got, took)
			}
		})
	}
}

func TestSelfRetry_RepeatGetsTheFailureBeforeWithoutAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(503, overBody, "X-Request-Id", "of the provider"), patient)
		got, body := g.askFor("hi", agentAI)
		wantTold(t, "the call", got, seenAnswer{503, "3", "", "upstream"})
		again, same := g.askFor("hi", agentAI)
		wantTold(t, "its repeat", again, seenAnswer{503, "0", "remembered", "replay"})
		if same != body || g.calls.Load() != 3 {
			t.Errorf("%q after %q, %d attempts", same, body, g.calls.Load())
		}
		if other, _ := g.askFor("hi", "curl"); other.Repeat != "" && other.Attempts != "1" {
			t.Errorf("another client: %+v", other)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine, patient, unbounded)
		g.behind.Close()
		_, _ = g.askFor("hi", agentAI)
		again, body := g.askFor("hi", agentAI)
		wantTold(t, "a lost call's repeat", again, seenAnswer{502, "0", "remembered", "local"})
		if errorCode(t, body) != "upstream_unreachable" || !strings.Contains(body, "this repeat was not attempted") {
			t.Errorf("a lost call's repeat: %s", body)
		}
	})
}

func TestSelfRetry_RepeatIsAttemptedOnceOthersSucceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			if call > 3 {
				fine(w, r, call)
				return
			}
			answers(503, overBody)(w, r, call)
		}, patient)
		_, _ = g.askFor("hi", agentAI)
		time.Sleep(time.Second)
		got, _ := g.askFor("another", "curl")
		wantTold(t, "another call", got, seenAnswer{200, "1", "", "upstream"})
		got, _ = g.askFor("hi", agentAI)
		wantTold(t, "the repeat", got, seenAnswer{200, "1", "single", "upstream"})
	})
}

func TestSelfRetry_WaitEndsOnceOthersSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			if time.Since(start) >= 5*time.Second {
				fine(w, r, call)
				return
			}
			answers(503, overBody)(w, r, call)
		}, patient)
		go func() {
			time.Sleep(10 * time.Second)
			g.askFor("other", "curl")
		}()
		if got, took := g.persist(agentAI); got.Status != 200 || took < 10*time.Second || took > 12*time.Second {
			t.Errorf("%+v after %s, want success once another had it after 10s", got, took)
		}
	})
}

// Where every second attempt succeeds, soon retries are what helps.
func TestSelfRetry_UpstreamThatIsIllIsRetriedAsForAnybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			if call == 2 || call == 8 {
				fine(w, r, call)
				return
			}
			answers(503, overBody)(w, r, call)
		}, patient, unbounded)
		got, took := g.persist(agentAI)
		wantTold(t, "the first", got, seenAnswer{200, "2", "", "upstream"})
		if took > 3*time.Second {
			t.Errorf("the first took %s", took)
		}
		got, _ = g.askFor("second", agentAI)
		wantTold(t, "the second", got, seenAnswer{200, "6", "", "upstream"})
	})
}

func TestSelfRetry_ClientsMayBeAllowedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(503, overBody), patient, unbounded, func(c *settings.Config) { c.Retry.ClientRetries = policy.ClientRetriesAllow })
		got, _ := g.askFor("hi", agentAI)
		wantTold(t, "the call", got, seenAnswer{503, "11", "", "upstream"})
		got, _ = g.askFor("hi", agentAI)
		wantTold(t, "its repeat", got, seenAnswer{503, "1", "single", "upstream"})
	})
}
