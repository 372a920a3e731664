package sim

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/sim/fault"
)

// bubble runs f in a synctest bubble against a simulator behind a listener
// without sockets. The client leaves nothing behind.
func bubble(t *testing.T, cfg Config, f func(t *testing.T, s *Sim, c *http.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := newPipes()
		s := New(cfg)
		if err := s.Serve(listener); err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DialContext: listener.dial}
		f(t, s, &http.Client{Transport: transport})
		transport.CloseIdleConnections()
		s.Close()
		synctest.Wait()
	})
}

func TestTimeIsSpentWhereItIsConfigured(t *testing.T) {
	ms := time.Millisecond
	cfg := Config{Latency: 100 * ms, TokenDelay: 20 * ms, Network: 5 * ms}
	tests := map[string]struct {
		body         string
		first, whole time.Duration // to the header, to the end
	}{
		"an answer in one piece is generated first": {chatBody, (5 + 100 + 3*20 + 5) * ms, (5 + 100 + 3*20 + 5) * ms},
		"a stream is generated as it is sent":       {streamBody, (5 + 100 + 5) * ms, (5 + 100 + 5 + 3*20) * ms},
		"two choices are generated at once": {
			`{"model":"m","messages":[],"max_tokens":3,"stream":true,"n":2}`, (5 + 100 + 5) * ms, (5 + 100 + 5 + 3*20) * ms,
		},
		"a refusal takes no time but the way": {`{"messages":[]}`, 10 * ms, 10 * ms},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, cfg, func(t *testing.T, _ *Sim, c *http.Client) {
				start := time.Now()
				r, err := http.NewRequestWithContext(t.Context(), "POST", "http://sim/v1/chat/completions", strings.NewReader(test.body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer sk-test")
				resp, err := c.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				first := time.Since(start)
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if whole := time.Since(start); first != test.first || whole != test.whole {
					t.Errorf("header after %v, end after %v; want %v, %v", first, whole, test.first, test.whole)
				}
			})
		})
	}
}

func TestEachEventComesWhenItsTokenIsReady(t *testing.T) {
	bubble(t, Config{TokenDelay: 20 * time.Millisecond}, func(t *testing.T, _ *Sim, c *http.Client) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://sim/v1/chat/completions", strings.NewReader(streamBody))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer sk-test")
		start := time.Now()
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var got []time.Duration
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "data: ") {
				got = append(got, time.Since(start)/time.Millisecond)
			}
		}
		// Role, three tokens, finish_reason, [DONE].
		want := []time.Duration{0, 20, 40, 60, 60, 60}
		for i := range want {
			if len(got) != len(want) || got[i] != want[i] {
				t.Fatalf("events after %v ms, want %v", got, want)
			}
		}
	})
}

func TestSlownessIsExact(t *testing.T) {
	tests := map[string]struct {
		rule fault.Rule
		body string
		want time.Duration
	}{
		"silence before the first event": {fault.Rule{Kind: fault.KindSilence, For: 7 * time.Second}, streamBody, 7 * time.Second},
		"silence later":                  {fault.Rule{Kind: fault.KindSilence, For: 7 * time.Second, Events: 3}, streamBody, 7 * time.Second},
		"no silence after the end":       {fault.Rule{Kind: fault.KindSilence, For: 7 * time.Second, Events: 30}, streamBody, 0},
		"hanging for a time":             {fault.Rule{Kind: fault.KindHang, For: 7 * time.Second}, chatBody, 7 * time.Second},
		"slow body":                      {fault.Rule{Kind: fault.KindSlowBody, Rate: 10}, chatBody, 579 * 100 * time.Millisecond},
		"slow body at the usual rate":    {fault.Rule{Kind: fault.KindSlowBody}, chatBody, 5700 * time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{Faults: []fault.Rule{test.rule}}, func(t *testing.T, _ *Sim, c *http.Client) {
				start := time.Now()
				_, err := post(t, c, "http://sim/v1/chat/completions", test.body)
				if (err != nil) != (test.rule.Kind == fault.KindHang) {
					t.Errorf("error %v", err)
				}
				if got := time.Since(start); got != test.want {
					t.Errorf("took %v, want %v", got, test.want)
				}
			})
		})
	}
}

func TestSlowHeadersTakeTheirTimeAndTheBodyNone(t *testing.T) {
	bubble(t, Config{Faults: []fault.Rule{{Kind: fault.KindSlowHeaders, Rate: 50}}}, func(t *testing.T, _ *Sim, c *http.Client) {
		start := time.Now()
		got, err := post(t, c, "http://sim/v1/chat/completions", chatBody)
		if err != nil || got.status != 200 || !strings.HasSuffix(got.body, "}}}") {
			t.Fatalf("%d %s, %v", got.status, got.body, err)
		}
		length := len("HTTP/1.1 200 OK\r\n\r\n")
		for name, values := range got.header {
			length += len(name) + len(": ") + len(values[0]) + len("\r\n")
		}
		length += len("Connection: close\r\n") // the transport removes it
		if took, want := time.Since(start), time.Duration(length)*time.Second/50; took != want {
			t.Errorf("took %v for %d bytes, want %v", took, length, want)
		}
	})
}

func TestAClientThatLeavesEndsTheWait(t *testing.T) {
	rules := map[string]fault.Rule{
		"hang":          {Kind: fault.KindHang},
		"hang unread":   {Kind: fault.KindHang, Unread: true},
		"hang after":    {Kind: fault.KindHang, After: true},
		"silence":       {Kind: fault.KindSilence},
		"endless body":  {Kind: fault.KindEndlessBody},
		"slow body":     {Kind: fault.KindSlowBody, Rate: 1},
		"slow headers":  {Kind: fault.KindSlowHeaders, Rate: 1},
		"short length":  {Kind: fault.KindShortLength},
		"endless lines": {Kind: fault.KindEndlessHeader},
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{Faults: []fault.Rule{rule}}, func(t *testing.T, s *Sim, c *http.Client) {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				r, err := http.NewRequestWithContext(ctx, "POST", "http://sim/v1/chat/completions", strings.NewReader(streamBody))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer sk-test")
				resp, err := c.Do(r)
				if err == nil {
					_, _ = io.CopyN(io.Discard, resp.Body, 1<<20) // some never end
					_ = resp.Body.Close()
				}
				c.CloseIdleConnections()
				synctest.Wait()
				pass(time.Second) // for what notices the loss at its next write
				synctest.Wait()
				if e, _ := s.Ledger().Entry(1); !e.Done {
					t.Errorf("still being served: %+v", e)
				}
			})
		})
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	rules := map[string]fault.Rule{
		"hang":         {Kind: fault.KindHang},
		"silence":      {Kind: fault.KindSilence},
		"slow body":    {Kind: fault.KindSlowBody, Rate: 1},
		"slow headers": {Kind: fault.KindSlowHeaders, Rate: 1},
		"short length": {Kind: fault.KindShortLength},
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{Faults: []fault.Rule{rule}}, func(t *testing.T, s *Sim, c *http.Client) {
				var client sync.WaitGroup
				client.Go(func() { _, _ = post(t, c, "http://sim/v1/chat/completions", streamBody) })
				pass(time.Second)
				start := time.Now()
				s.Close()
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("Close took %v", took)
				}
				client.Wait()
				if e, _ := s.Ledger().Entry(1); !e.Done {
					t.Errorf("still being served: %+v", e)
				}
			})
		})
	}
}

func TestWorkIsDoneBeforeTheClientGivesUp(t *testing.T) {
	bubble(t, Config{Latency: time.Minute}, func(t *testing.T, s *Sim, c *http.Client) {
		c.Timeout = time.Second
		_, err := post(t, c, "http://sim/v1/chat/completions", chatBody)
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Fatalf("error %v, want a timeout", err)
		}
		synctest.Wait()
		if e, _ := s.Ledger().Entry(1); !e.Work || e.Status != 0 || e.Duration != time.Second {
			t.Errorf("ledger: %+v", e)
		}
	})
}
