package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/observe"
	"outrigger/proxy/settings"
)

func observeMode(c *settings.Config) { c.Mode = settings.ModeObserve }

// raw sends a request as it stands and returns the answer as it stands, to the connection's end.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(c) // an aborted answer is one too
	return string(answer)
}

// TestObserve_BytesAreABareProxys sends what callers send, and has the upstream answer all kinds of
// things, through a bare ReverseProxy and through observe mode: both sides get the same bytes.
func TestObserve_BytesAreABareProxys(t *testing.T) {
	t.Parallel()
	chat := func(header, body string) string {
		return fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer sk-test\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
	}
	const question = `{"model":"gpt-4o","messages":[]}`
	answers := map[string]struct {
		request string
		answer  func(w http.ResponseWriter, r *http.Request)
	}{
		"a success": {chat("", question), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"choices":[{}]}`)
		}},
		"a failure that would be retried": {chat("X-Stainless-Retry-Count: 0\r\n", question), func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"error":{"message":"x"}}`, http.StatusInternalServerError)
		}},
		"what is told Outrigger": {chat("X-Outrigger-Token: t\r\nX-Outrigger-Priority: low\r\nX-Outrigger-Caller: web\r\n", question), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
		}},
		"a refusal with a wait": {chat("", question), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "5")
			w.Header().Set("X-Should-Retry", "true")
			w.WriteHeader(http.StatusTooManyRequests)
		}},
		"a stream that is cut cleanly": {chat("", `{"model":"gpt-4o","stream":true}`), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n")
		}},
		"a stream that is cut": {chat("", `{"model":"gpt-4o","stream":true}`), func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "data: {\"choices\":[]}\n\n")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}},
		"a key": {chat("Idempotency-Key: one\r\nAccept-Encoding: gzip, foo\r\nX-Forwarded-For: 10.0.0.1\r\n", question), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
		}},
		"a redirect": {"GET /v1/models?a=1;b=%zz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}},
		"no body":   {"HEAD /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", func(http.ResponseWriter, *http.Request) {}},
		"no answer": {chat("", question), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"a body in chunks": {"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		}},
	}
	dates := regexp.MustCompile(`(?m)^Date: .*\r\n`)
	for name, tt := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var got []string // what the upstream was sent
			script := func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				got = append(got, fmt.Sprintf("%s %s %v %d %v %s", r.Method, r.URL, r.Header, r.ContentLength, r.TransferEncoding, body))
				mu.Unlock()
				r.Body = io.NopCloser(bytes.NewReader(body))
				tt.answer(w, r)
			}
			g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) { script(w, r) }, observeMode)
			to, _ := url.Parse(g.upstream.URL)
			bare := httptest.NewServer(&httputil.ReverseProxy{
				Transport: &http.Transport{DisableCompression: true}, ErrorLog: g.front.Config.ErrorLog,
				Rewrite: func(r *httputil.ProxyRequest) {
					r.SetURL(to)
					for _, own := range []string{"Token", "Priority", "Caller"} {
						r.Out.Header.Del("X-Outrigger-" + own)
					}
					r.Out.URL.RawQuery = r.In.URL.RawQuery
					if v := r.In.Header["X-Forwarded-For"]; v != nil {
						r.Out.Header["X-Forwarded-For"] = v
					}
				},
			})
			defer bare.Close()
			want := dates.ReplaceAllString(raw(t, bare.Listener.Addr().String(), tt.request), "")
			have := dates.ReplaceAllString(raw(t, g.front.Listener.Addr().String(), tt.request), "")
			if sorted(have) != sorted(want) {
				t.Errorf("the caller got\n%q\nthrough a bare proxy\n%q", have, want)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(got) != 2 || !strings.EqualFold(got[0], got[1]) {
				t.Errorf("the upstream got\n%q", got)
			}
		})
	}
}

// sorted is an answer with its headers in one order, which HTTP does not have.
func sorted(answer string) string {
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
	if err != nil {
		return answer
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return fmt.Sprint(r.Status, r.Header, r.ContentLength, r.TransferEncoding, string(body), err)
}

// await waits until the status page knows of n requests.
func (g *rig) await(n int64) map[observe.Would]int64 {
	g.t.Helper()
	for range 500 {
		if totals := g.proxy.Recent().Totals(); totals.Requests >= n {
			return totals.Observed.Would
		}
		time.Sleep(10 * time.Millisecond)
	}
	g.t.Fatal("what would have been done never became known")
	return nil
}

func TestObserve_TokensStillHold(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(http.ResponseWriter, *http.Request, int) {}, observeMode, func(c *settings.Config) {
		c.Callers.Tokens = []values.Secret{values.NewSecret("secret-of-the-app")}
	})
	resp, err := http.Get(g.url + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || g.calls.Load() != 0 {
		t.Errorf("got %d after %d calls", resp.StatusCode, g.calls.Load())
	}
}

func TestObserve_TellsWhatWouldHaveBeenDone(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request, call int) {
		if call == 2 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{}]}`)
	}, observeMode)
	for i, retry := range []string{"0", "0", "1"} {
		r, _ := http.NewRequest(http.MethodPost, g.url+"/v1/chat/completions", strings.NewReader(`{"model":"gpt-4o","messages":[]}`))
		r.Header.Set("X-Stainless-Retry-Count", retry)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if want := map[int]int{1: 500}[i]; want != 0 && resp.StatusCode != want {
			t.Errorf("call %d got %d", i, resp.StatusCode)
		}
	}
	would := g.await(3)
	if would[observe.WouldPass] != 1 || would[observe.WouldRetry] != 1 || would[observe.WouldNotCome] != 1 || g.calls.Load() != 3 {
		t.Errorf("got %v after %d calls", would, g.calls.Load())
	}
	totals := g.proxy.Recent().Totals().Observed
	if totals.Failed != 1 || totals.FailuresPrevented != 1 || totals.FailuresCaused != 0 || totals.CallsNotMade != 1 {
		t.Errorf("got %+v", totals)
	}
	for _, q := range g.proxy.Recent().After(0) {
		if len(q.Would) == 0 {
			t.Errorf("%+v does not say what would have been done", q)
		}
	}
	if !strings.Contains(g.log.String(), `"msg":"observed"`) {
		t.Errorf("the log has\n%s", g.log)
	}
}

// TestObserve_AShadowsTroubleIsNotTheCallers has shadows that panic, and no room for shadows.
func TestObserve_AShadowsTroubleIsNotTheCallers(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*Proxy){
		"a panic": func(p *Proxy) { p.relay = nil },
		"no room": func(p *Proxy) { p.observing.free = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, func(http.ResponseWriter, *http.Request, int) {}, observeMode)
			trouble(g.proxy)
			resp, err := http.Get(g.url + "/v1/models")
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if would := g.await(1); resp.StatusCode != http.StatusOK || would[observe.WouldUnknown] != 1 || len(would) != 1 {
				t.Errorf("got %d, %v", resp.StatusCode, would)
			}
		})
	}
}

// TestObserve_NamesTheCaller has a caller's name where somebody looks for it, as in enforce mode, and
// refuses nobody whose priority makes no sense.
func TestObserve_NamesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine, observeMode, func(c *settings.Config) {
			c.Callers.Tokens = []values.Secret{values.NewSecret("web:secret-of-web")}
		})
		g.drop(with(g.plain(), "X-Outrigger-Token: secret-of-web", "X-Outrigger-Priority: urgent"))
		synctest.Wait()
		if line := lastRequest(t, g); line["caller"] != "web" || line["status"] != 200.0 {
			t.Errorf("the log has %v, want web and 200", line)
		}
		if got := g.proxy.Recent().After(0); len(got) != 1 || got[0].Caller != "web" {
			t.Errorf("the last requests are %+v", got)
		}
		if !strings.Contains(g.metricsText(), `outrigger_caller_requests_total{caller="web",outcome="completed"} 1`) {
			t.Error("the metrics do not count web")
		}
	})
}
