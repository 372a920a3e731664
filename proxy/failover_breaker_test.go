package proxy

import (
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/proxy/lane"
	"outrigger/proxy/settings"
)

// flaky is an upstream that is ill for a time, and knows when it was touched.
type flaky struct {
	start    time.Time
	ill      [2]time.Duration // from, to
	how      script
	mu       sync.Mutex
	touched  []time.Duration // while ill
	answered []time.Duration // while well
}

func (f *flaky) isIll() bool {
	at := time.Since(f.start)
	return at >= f.ill[0] && at < f.ill[1]
}

func (f *flaky) note() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isIll() {
		f.touched = append(f.touched, time.Since(f.start))
		return true
	}
	f.answered = append(f.answered, time.Since(f.start))
	return false
}

func (f *flaky) serve(w http.ResponseWriter, r *http.Request, call int) {
	if f.note() {
		f.how(w, r, call)
		return
	}
	answering("openai")(w, r, call)
}

// refuses makes the connections to up fail while f is ill. Kept ones are closed at once.
func (f *flaky) refuses(up *lane.Lane, dial func(context.Context, string, string) (net.Conn, error)) {
	refuse := func(ctx context.Context, network, address string) (net.Conn, error) {
		if f.isIll() {
			f.note()
			return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
		}
		return dial(ctx, network, address)
	}
	for _, transport := range [...]http.RoundTripper{up.Pooled, up.Fresh} {
		t := transport.(*http.Transport)
		t.DialContext, t.DisableKeepAlives = refuse, true
	}
}

// load sends one request each 50 ms for 20 s, and returns how they were answered.
func (s *several) load(path, body string, each func(i int, got *http.Response)) {
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			resp, _ := s.do(s.request(http.MethodPost, path, body))
			each(i, resp)
		})
		time.Sleep(50 * time.Millisecond)
	}
	wg.Wait()
}

func TestAnOutageOfTheFirstIsSeenByNoCallerAndItIsLeftAlone(t *testing.T) {
	const from, to = 5 * time.Second, 12 * time.Second
	tests := map[string]struct {
		how    script
		refuse bool
	}{
		"503":                    {answers(503, overBody), false},
		"500":                    {answers(500, `{}`), false},
		"silence":                {unanswered, false},
		"connections that break": {resetting, false},
		"refused connections":    {nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &flaky{start: time.Now(), ill: [2]time.Duration{from, to}, how: tt.how}
				s := newSeveral(t, func(c *settings.Config) {
					c.Timeouts.Attempt = time.Second
				}, f.serve, answering("second"))
				if tt.refuse {
					f.refuses(s.proxy.gen().Upstreams[0], s.wires[0].dial)
				}
				s.load(chatPath, chatBody, func(i int, got *http.Response) {
					if got.StatusCode != http.StatusOK {
						t.Errorf("request %d got %d from %s", i, got.StatusCode, got.Header.Get("x-outrigger-upstream"))
					}
				})
				f.judge(t, to)
			})
		})
	}
}

// judge holds what the first upstream saw of an outage to what is promised.
func (f *flaky) judge(t *testing.T, to time.Duration) {
	t.Helper()
	// Ten failures in a row open the breaker; with silence, those that were sent in
	// the second before the first was noticed come on top. Then the probes are left.
	last, probes := f.touched[0], 0
	for i, at := range f.touched {
		if i >= 10 && at-last >= 500*time.Millisecond {
			probes++
		}
		last = at
	}
	opening := len(f.touched) - probes
	if opening > 10+20 {
		t.Errorf("%d calls before it was left alone", opening)
	}
	if most := int((to - f.ill[0]) / time.Second); probes > most || probes < most/2 {
		t.Errorf("%d probes in %s, want about one a second: %v", probes, to-f.ill[0], f.touched)
	}
	for _, at := range f.answered {
		if at >= to {
			if at > to+2*time.Second {
				t.Errorf("it is used again after %s, want 2s at most", at-to)
			}
			return
		}
	}
	t.Error("it is never used again")
}

// A create that is the probe could not be repeated elsewhere, so it is none while
// others come by; where nothing else comes, it is.
func TestCreatesLeaveTheProbeToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{start: time.Now(), ill: [2]time.Duration{0, 10 * time.Second}, how: answers(500, `{"error":{"code":"over"}}`)}
		s := newSeveral(t, nil, f.serve, answering("second"))
		for range 5 { // two attempts each
			s.chat()
		}
		failed := 0
		for i := range 200 {
			path, body := createPath, createBody
			if i%4 == 0 {
				path, body = chatPath, chatBody
			}
			if resp, _ := s.do(s.request(http.MethodPost, path, body)); resp.StatusCode != http.StatusOK {
				failed++
			}
			time.Sleep(100 * time.Millisecond)
		}
		if failed != 0 {
			t.Errorf("%d creates failed as probes", failed)
		}
		if n := len(f.answered); n == 0 {
			t.Error("the first is never used again")
		}
	})
}

func TestWithNothingButCreatesOneOfThemIsTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{start: time.Now(), ill: [2]time.Duration{0, 10 * time.Second}, how: answers(503, overBody)}
		s := newSeveral(t, nil, f.serve, answering("second"))
		s.load(createPath, createBody, func(i int, got *http.Response) {
			if got.StatusCode != http.StatusOK {
				t.Errorf("request %d got %d", i, got.StatusCode)
			}
		})
		if len(f.answered) == 0 || f.answered[0] > 12*time.Second+100*time.Millisecond {
			t.Errorf("used again at %v, want within 2s of 10s", f.answered[:min(1, len(f.answered))])
		}
	})
}

func TestWhenAllAreOpenRequestsWaitForWhicheverOpensFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &flaky{start: time.Now(), ill: [2]time.Duration{0, time.Hour}, how: answers(503, overBody)}
		second := &flaky{start: time.Now(), ill: [2]time.Duration{0, 8 * time.Second}, how: answers(503, overBody)}
		s := newSeveral(t, func(c *settings.Config) { c.Retry.Budget = 100 }, first.serve, second.serve)
		openAll(s)
		start := time.Now()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				resp, _ := s.chat()
				if resp.StatusCode != http.StatusOK || resp.Header.Get("x-outrigger-upstream") != "second" {
					t.Errorf("got %d from %s", resp.StatusCode, resp.Header.Get("x-outrigger-upstream"))
				}
			})
		}
		wg.Wait()
		if waited := time.Since(start); waited > 9*time.Second {
			t.Errorf("the last one waited %s", waited)
		}
		if n := len(second.touched); n > 40 {
			t.Errorf("the second was called %d times while it was ill", n)
		}
		for i, up := range s.proxy.gen().Upstreams {
			if n := up.Gate.Depth(); n != 0 {
				t.Errorf("%d still wait at upstream %d", n, i+1)
			}
		}
	})
}

func TestCircuitOpenIsSaidOnlyWhenAllStayedOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, func(c *settings.Config) { c.Breaker.Wait = 5 * time.Second }, answers(503, overBody), answers(503, overBody))
		openAll(s)
		var wg sync.WaitGroup
		open, answered := make(chan *http.Response, 100), make(chan *http.Response, 100)
		for range 100 {
			wg.Go(func() {
				start := time.Now()
				resp, body := s.do(s.request(http.MethodPost, chatPath, chatBody))
				if errorCode(t, body) == "circuit_open" {
					open <- resp
					if took := time.Since(start); took != 5*time.Second {
						t.Errorf("circuit_open after %s, want 5s", took)
					}
					return
				}
				answered <- resp // it was a probe, so it has an answer to give
			})
		}
		wg.Wait()
		if len(open) < 60 || len(answered) == 0 {
			t.Fatalf("%d were told circuit_open and %d an answer", len(open), len(answered))
		}
		if got := <-open; got.StatusCode != 503 || got.Header.Get("x-outrigger-attempts") != "0" || got.Header.Get("Retry-After") != "1" {
			t.Errorf("circuit_open is %d %v", got.StatusCode, got.Header)
		}
	})
}

// A request that two open breakers pass to and fro has no more retries for it.
func TestBreakersDoNotMultiplyRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, func(c *settings.Config) { c.Retry.Budget = 100 }, answers(503, overBody), answers(503, overBody))
		openAll(s)
		before := s.times()
		if got := s.call(http.MethodPost, chatPath, chatBody); got.Code != "over" {
			t.Errorf("got %+v", got)
		}
		after := s.times()
		if n := after[0] + after[1] - before[0] - before[1]; n > 2*5 {
			t.Errorf("%d attempts for one request", n)
		}
	})
}

// openAll opens the breakers of all upstreams, which fail.
func openAll(s *several) {
	s.t.Helper()
	for i := range s.proxy.gen().Upstreams {
		for s.proxy.gen().Upstreams[i].Gate.Breaker.State() == policy.Closed {
			s.do(s.request(http.MethodPost, "/@"+severalNames[i]+chatPath, chatBody))
		}
	}
}
