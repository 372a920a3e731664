package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

const noQuota = `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`

// work lets 20 callers make calls one after another, and returns how many were told what.
func (g *rig) work(each int) map[int]int {
	total := map[int]int{}
	for range each {
		for status, n := range g.atOnce(20, nil) {
			total[status] += n
		}
	}
	return total
}

func TestConfirm_ACredentialThatWorksIsNotBelievedDeadAtOnce(t *testing.T) {
	for name, refuse := range map[string]script{
		"401":           answers(401, deadKey),
		"no quota":      answers(429, noQuota),
		"402":           answers(402, `{"error":{"message":"Insufficient Balance"}}`),
		"a dead model":  answers(403, `{"error":{"message":"Project does not have access to model","code":"model_not_found"}}`),
		"401 in a 200":  answers(200, `{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}`),
		"a plain 401":   answers(401, ``),
		"401 of a page": answers(401, `<html>Unauthorized</html>`, "Content-Type", "text/html"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					if n%130 == 0 {
						refuse(w, r, n)
						return
					}
					fine(w, r, n)
				}, func(c *settings.Config) { c.Limit.Learn = false })
				got := g.work(40)
				if got[200] != 800 {
					t.Errorf("800 calls got %v", got)
				}
				if n := g.calls.Load(); n != 800+n/130 {
					t.Errorf("%d calls", n)
				}
				if trips := g.status().Upstreams[0].Trips; len(trips) != 0 {
					t.Errorf("remembered: %+v", trips)
				}
			})
		})
	}
}

func TestConfirm_OneThatDiesIsRememberedAfterOneMoreCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if dead.Load() {
				answers(401, deadKey)(w, r, n)
				return
			}
			fine(w, r, n)
		}, func(c *settings.Config) { c.Limit.Learn = false })
		g.chat()
		dead.Store(true)
		before := g.calls.Load()
		if resp, body := g.chat(); resp.StatusCode != 401 || body != deadKey || resp.Header.Get("X-Outrigger-Attempts") != "2" || g.calls.Load() != before+2 {
			t.Errorf("got %d after %s attempts", resp.StatusCode, resp.Header.Get("X-Outrigger-Attempts"))
		}
		if resp, _ := g.chat(); resp.Header.Get("X-Outrigger-Source") != "tripped" {
			t.Errorf("the next came from %s", resp.Header.Get("X-Outrigger-Source"))
		}
		time.Sleep(g.proxy.gen().Config.TripCooldown) // the bubble's clock
		before = g.calls.Load()
		if resp, _ := g.chat(); resp.StatusCode != 401 || g.calls.Load() != before+1 {
			t.Errorf("the probe got %d after %d calls", resp.StatusCode, g.calls.Load()-before)
		}
	})
}

func TestConfirm_OneThatWorkedLongAgoIsBelievedDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if n > 1 {
				answers(401, deadKey)(w, r, n)
				return
			}
			fine(w, r, n)
		}, func(c *settings.Config) { c.Limit.Learn = false })
		g.chat()
		time.Sleep(10 * time.Minute) // the bubble's clock
		if resp, _ := g.chat(); resp.StatusCode != 401 || g.calls.Load() != 2 {
			t.Errorf("got %d after %d calls", resp.StatusCode, g.calls.Load()-1)
		}
	})
}

// TestConfirm_WhereNothingMayBeSentAgainTheNextRefusalCounts: the upstream forbids it, or a
// create may have been carried out.
func TestConfirm_WhereNothingMayBeSentAgainTheNextRefusalCounts(t *testing.T) {
	for name, tt := range map[string]struct {
		path    string
		refuse  script
		confirm bool
	}{
		"x-should-retry: false": {"/v1/chat/completions", answers(401, deadKey, "X-Should-Retry", "false"), false},
		"a create, no quota":    {"/v1/files", answers(429, noQuota), false},
		"a create, 401":         {"/v1/files", answers(401, deadKey), true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dead atomic.Bool
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					if dead.Load() {
						tt.refuse(w, r, n)
						return
					}
					fine(w, r, n)
				}, func(c *settings.Config) { c.Limit.Learn = false })
				g.chat()
				dead.Store(true)
				send := func() (*http.Response, int64) {
					before := g.calls.Load()
					resp, _ := g.do(g.request(http.MethodPost, tt.path, chatBody))
					return resp, g.calls.Load() - before
				}
				if tt.confirm {
					if resp, n := send(); resp.StatusCode < 400 || n != 2 {
						t.Errorf("got %d after %d calls, want a confirmation", resp.StatusCode, n)
					}
					return
				}
				for i, want := range []int64{1, 1, 0} {
					if resp, n := send(); resp.StatusCode < 400 || n != want {
						t.Errorf("call %d got %d after %d calls, want %d", i+1, resp.StatusCode, n, want)
					}
				}
			})
		})
	}
}

// TestConfirm_OneRequestThatIsRefusedWhileOthersPassIsToldAlone: a gateway whose false refusals hit one
// request several times, or for good.
func TestConfirm_OneRequestThatIsRefusedWhileOthersPassIsToldAlone(t *testing.T) {
	for name, tt := range map[string]struct{ refusals, want int }{"twice": {2, 200}, "for good": {1000, 401}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var odd atomic.Int64
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					body, _ := io.ReadAll(r.Body)
					if bytes.Contains(body, []byte("odd")) && odd.Add(1) <= int64(tt.refusals) {
						answers(401, deadKey)(w, r, n)
						return
					}
					fine(w, r, n)
				}, realBackoff)
				over := make(chan int)
				g.chat()
				go func() {
					wrong := 0
					for range 200 {
						if resp, _ := g.chat(); resp.StatusCode != 200 {
							wrong++
						}
						time.Sleep(5 * time.Millisecond) // the bubble's clock
					}
					over <- wrong
				}()
				time.Sleep(50 * time.Millisecond)
				if got := g.crowd(1, strings.Replace(chatBody, `"hi"`, `"odd"`, 1))[0]; got.status != tt.want || odd.Load() > 3 {
					t.Errorf("the odd one got %d by %s after %d calls", got.status, got.source, odd.Load())
				}
				if wrong := <-over; wrong > 0 {
					t.Errorf("%d others were refused", wrong)
				}
				if trips := g.status().Upstreams[0].Trips; len(trips) != 0 {
					t.Errorf("remembered: %+v", trips)
				}
			})
		})
	}
}
