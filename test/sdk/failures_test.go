package sdk

import (
	"context"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

var once = ptr(0) // max_retries of a test that looks at one answer

func ptr[T any](v T) *T { return &v }

// check compares an error with what the SDK raises for a status, and Outrigger's
// own answers with the code that is documented for them.
func (c client) check(t *testing.T, o outcome, status int, code string) {
	t.Helper()
	if o.Error == nil {
		t.Fatalf("got %v, want status %d", o.Value, status)
	}
	if o.Error.Class != c.classes[status] || o.Error.Status != status || o.Error.Code != code {
		t.Errorf("got %s, status %d, code %q, want %s, %d, %q: %s",
			o.Error.Class, o.Error.Status, o.Error.Code, c.classes[status], status, code, o.Error.Message)
	}
}

// source is who wrote the answer: upstream, local or tripped.
func (o outcome) source() string { return o.Error.Headers["x-outrigger-source"] }

func equal(t *testing.T, what string, got, want counts) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func TestRetriesOfTheClientDoNotMultiplyOutriggersOwn(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{faults: `[{"kind": "status", "status": 500}]`}, map[string]string{"RETRY_MAX": "2"})
		got := c.run(t, w, plan{Calls: []string{"chat"}})[0]
		c.check(t, got, http.StatusInternalServerError, "")
		if got.Error.Headers["x-should-retry"] != "false" || got.Error.Headers["x-outrigger-attempts"] != "3" || got.source() != "upstream" {
			t.Errorf("headers are %v", got.Error.Headers)
		}
		equal(t, "an upstream that only answers 500", w.called(t), counts{outrigger: 1, upstream: 3})
	})
}

func TestADeadAccountIsAskedOnceAndThenAnsweredFromMemory(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{faults: `[{"kind": "row", "row": "openai/429_credit_balance_exhausted"}]`}, nil)
		for i, o := range c.run(t, w, plan{Calls: []string{"chat", "chat_stream", "chat"}}) {
			c.check(t, o, http.StatusTooManyRequests, "credit_balance_exhausted")
			want := "tripped"
			if i == 0 {
				want = "upstream"
			}
			if o.Error != nil && o.source() != want {
				t.Errorf("call %d was answered by %q, want %q", i+1, o.source(), want)
			}
		}
		equal(t, "three calls with a dead account", w.called(t), counts{outrigger: 3, upstream: 1})
	})
}

func TestACreateWhoseAnswerWasLostIsRepeatedByNobody(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{faults: `[
			{"kind": "reset", "after": true, "path": "/v1/files", "first": 1},
			{"kind": "reset", "after": true, "path": "/v1/batches"}]`}, nil)
		// The second call uploads the batch's input first, and that goes well.
		for _, o := range c.run(t, w, plan{Calls: []string{"upload", "batch_create"}}) {
			c.check(t, o, http.StatusFailedDependency, "upstream_ambiguous")
			if o.Error != nil && (o.source() != "local" || o.Error.RequestID == "") {
				t.Errorf("source %q, request id %q", o.source(), o.Error.RequestID)
			}
		}
		equal(t, "three creates, two of them lost", w.called(t), counts{outrigger: 3, upstream: 3, works: 3})
	})
}

func TestTheClientHearsOutriggersErrorBeforeItsOwnTimeout(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{faults: `[{"kind": "hang"}]`}, nil)
		// Clients that announce whole seconds may mean up to a second more, under ten of them.
		got := c.run(t, w, plan{Calls: []string{"chat"}, Timeout: ptr(10.0), MaxRetries: once})[0]
		c.check(t, got, http.StatusGatewayTimeout, "upstream_timeout")
		if got.Error != nil && got.Error.Headers["x-should-retry"] != "" {
			t.Error("the deadline was the client's own: whether to try again is its choice")
		}
		equal(t, "a call that announced 10s", w.called(t), counts{outrigger: 1, upstream: 1})
	})
}

func TestALineThatIsTooLongIsRefusedAsARateLimit(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{}, map[string]string{"RPM": "6", "QUEUE_TIMEOUT": "100ms"})
		refused := 0
		for _, o := range c.run(t, w, plan{Calls: times("chat", 8), Together: true, MaxRetries: once}) {
			if o.Error == nil {
				continue
			}
			refused++
			c.check(t, o, http.StatusTooManyRequests, "local_rate_limit")
			if o.Error.Headers["retry-after"] == "" || o.source() != "local" || o.Error.Headers["x-outrigger-attempts"] != "0" {
				t.Errorf("headers are %v", o.Error.Headers)
			}
		}
		if refused == 0 || refused == 8 {
			t.Errorf("%d of 8 calls refused at 6 a minute, want some", refused)
		}
		equal(t, "what was let through", w.called(t), counts{outrigger: 8, upstream: 8 - refused, works: 8 - refused})
	})
}

func times(name string, n int) []string {
	return strings.Fields(strings.Repeat(name+" ", n))
}

func TestADrainingOutriggerSaysSo(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{faults: `[{"kind": "hang", "path": "/v1/chat"}]`}, map[string]string{"DRAIN_TIMEOUT": "2m"})
		// What still runs keeps Outrigger draining: here a call of the test's own.
		leave := w.hold(t)
		w.outrigger.Signal(t, syscall.SIGTERM)
		poll(t, func() bool { return status(t, w.admin+"/readyz") == http.StatusServiceUnavailable })

		got := c.run(t, w, plan{Calls: []string{"embeddings"}, MaxRetries: once})[0]
		c.check(t, got, http.StatusServiceUnavailable, "draining")
		leave()
		if status := w.outrigger.Wait(t); status != 0 {
			t.Errorf("ended with status %d", status)
		}
	})
}

func TestABurstOverTheLimitSucceedsWithoutTheClientsNoticing(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		// The provider's own trap: announced per minute, enforced per second.
		w := c.start(t, troubles{limits: `[{"rpm": 600, "enforce": "quanta"}]`}, nil)
		for i, o := range c.run(t, w, plan{Calls: times("chat", 30), Together: true}) {
			if o.Error != nil {
				t.Errorf("call %d: %+v", i, o.Error)
			}
		}
		got := w.called(t)
		if got.outrigger != 30 || got.works != 30 || got.again != 0 {
			t.Errorf("got %+v, want 30 requests, each carried out, and no SDK retry", got)
		}
	})
}

// hold makes a call that the upstream does not answer, waits until it is there, and
// returns what ends it.
func (w *world) hold(t *testing.T) context.CancelFunc {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	body := strings.NewReader(`{"model":"gpt-4.1-mini","messages":[{"role":"user","content":"hold"}]}`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.base()+"/chat/completions", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+key)
	go func() {
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}()
	poll(t, func() bool { entries := w.ledger(t); return len(entries) == 1 && !entries[0].Done })
	return cancel
}

func status(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func poll(t *testing.T, done func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-late:
			t.Fatal("did not happen within 20s")
		case <-again.C:
		}
	}
}
