package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

func TestACallerIsToldThatItsUploadMoves(t *testing.T) {
	python := []string{"X-Stainless-Lang: python", "X-Stainless-Read-Timeout: 6"}
	for name, tt := range map[string]struct {
		headers  []string
		upstream script
		told     bool
		status   int
	}{
		"an upload of 13 s":           {python, takes(0, 1500*time.Millisecond, 0), true, 200},
		"with pauses of 5 s":          {python, takes(0, 5*time.Second, 5*time.Second), true, 200},
		"and a retry":                 {python, firstly(1, failing(takes(0, time.Second, 0)), takes(0, time.Second, 0)), true, 200},
		"one that then stands still":  {python, takes(0, time.Second, 20*time.Second), true, 504},
		"a fast one":                  {python, takes(0, 0, 5*time.Second), false, 200},
		"of httpx itself":             {[]string{"User-Agent: python-httpx/0.28.1"}, takes(0, time.Second, 0), true, 200},
		"of a client for Java":        {[]string{"X-Stainless-Lang: java", "X-Stainless-Read-Timeout: 6"}, takes(0, time.Second, 0), false, 200},
		"of a client with a total":    {[]string{"X-Stainless-Lang: js", "X-Stainless-Timeout: 60"}, takes(0, time.Second, 0), false, 200},
		"of one that announces none":  {[]string{"X-Stainless-Lang: python"}, takes(0, time.Second, 0), false, 200},
		"of one that says no version": {[]string{"X-Stainless-Read-Timeout: 6"}, takes(0, time.Second, 0), false, 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, func(c *settings.Config) { c.Retry.Base, c.Retry.Cap, c.Retry.Max = 0, 0, 1 })
				var mu sync.Mutex
				var last time.Time
				var longest time.Duration
				hints := 0
				heard := func() {
					mu.Lock()
					defer mu.Unlock()
					longest, last = max(longest, time.Since(last)), time.Now()
				}
				trace := &httptrace.ClientTrace{
					WroteRequest: func(httptrace.WroteRequestInfo) {
						mu.Lock()
						defer mu.Unlock()
						last = time.Now()
					},
					Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
						heard()
						hints++
						if code != 102 {
							t.Errorf("told %d", code)
						}
						return nil
					},
				}
				r := with(g.request("POST", "/v1/embeddings", long), tt.headers...)
				resp, err := g.client.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				heard()
				if resp.StatusCode != tt.status || tt.told != (hints > 0) || hints > 150 {
					t.Errorf("got %d, told %d times", resp.StatusCode, hints)
				}
				if tt.told && longest > 6*time.Second {
					t.Errorf("a silence of %s", longest)
				}
				if resp.Header.Get("X-Outrigger-Source") == "" {
					t.Errorf("the answer's headers are gone: %v", resp.Header)
				}
				time.Sleep(time.Minute) // the bubble's clock: scripts end
			})
		})
	}
}

func TestACallerOfHTTP10IsNotTold(t *testing.T) {
	g := newRig(t, takes(0, 50*time.Millisecond, 0)) // an upstream that is slow in real time
	conn := g.dial()
	_, _ = fmt.Fprintf(conn, "POST /v1/files HTTP/1.0\r\nHost: localhost\r\nX-Stainless-Lang: python\r\nX-Stainless-Read-Timeout: 1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(long), long)
	answer, err := io.ReadAll(conn)
	if err != nil || len(answer) < 12 || string(answer[9:12]) != fmt.Sprint(http.StatusOK) {
		t.Errorf("got %.100q, %v", answer, err)
	}
}
