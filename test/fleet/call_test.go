package fleet

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// call is one request of a caller.
type call struct {
	sidecar  int
	label    string // of the load that it belongs to, without a slash
	number   int
	tokens   int    // max_tokens, 0 is none
	priority string // x-outrigger-priority, "" is none
	timeout  string // in seconds, as SDKs announce it; "" is none
	key      string // Idempotency-Key, "" is none
	named    string // its name, "" is one of its own
}

// name tells the call from others in the upstream's ledger.
func (c call) name() string {
	if c.named != "" {
		return c.named
	}
	return fmt.Sprintf("%d/%s/%d", c.sidecar, c.label, c.number)
}

// answer is what a caller got.
type answer struct {
	call
	status int
	source string // x-outrigger-source
	body   string
	at     time.Time // when it had come
	took   time.Duration
}

// do makes a call.
func (g *rig) do(c call) answer {
	body := map[string]any{"model": "gpt-4o-mini", "messages": []map[string]string{{"role": "user", "content": "hello"}}}
	if c.tokens > 0 {
		body["max_tokens"] = c.tokens
	}
	began := time.Now()
	a := answer{call: c}
	text, err := json.Marshal(body)
	if err == nil {
		err = g.try(&a, string(text))
	}
	if err != nil {
		a.status, a.body = 0, err.Error()
	}
	a.at = time.Now()
	a.took = a.at.Sub(began)
	return a
}

func (g *rig) try(a *answer, body string) error {
	r, err := http.NewRequestWithContext(g.ctx, http.MethodPost, g.sidecars[a.sidecar].base+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = http.Header{"Authorization": {"Bearer sk-fleet"}, "Content-Type": {"application/json"}, "X-Sim-Request": {a.name()}}
	if a.priority != "" {
		r.Header.Set("X-Outrigger-Priority", a.priority)
	}
	if a.timeout != "" {
		r.Header.Set("X-Stainless-Timeout", a.timeout)
	}
	if a.key != "" {
		r.Header.Set("Idempotency-Key", a.key)
	}
	response, err := g.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	a.status, a.source, a.body = response.StatusCode, response.Header.Get("X-Outrigger-Source"), string(text)
	return err
}

// queues makes n[i] calls like c at sidecar i.
func queues(c call, n ...int) []call {
	var all []call
	for i := range n {
		for range n[i] {
			c.sidecar, c.number = i, len(all)
			all = append(all, c)
		}
	}
	return all
}

// send makes all calls at once and returns their answers, in the order of the calls.
func (g *rig) send(calls []call) []answer {
	answers := make([]answer, len(calls))
	var all sync.WaitGroup
	for i, c := range calls {
		all.Go(func() { answers[i] = g.do(c) })
	}
	all.Wait()
	return answers
}

// workers are callers that make one call after another.
type workers struct {
	stopped atomic.Bool
	all     sync.WaitGroup

	mu      sync.Mutex
	answers []answer
}

// busy keeps n[i] callers at sidecar i busy until they are stopped.
func (g *rig) busy(label string, n ...int) *workers {
	w := &workers{}
	var number atomic.Int64
	for i := range n {
		for range n[i] {
			w.all.Go(func() {
				for !w.stopped.Load() && g.ctx.Err() == nil {
					a := g.do(call{sidecar: i, label: label, number: int(number.Add(1))})
					w.mu.Lock()
					w.answers = append(w.answers, a)
					w.mu.Unlock()
					if a.status != http.StatusOK {
						wait(g.ctx, 100*time.Millisecond) // a failure does not become thousands
					}
				}
			})
		}
	}
	return w
}

// stop lets each caller have its last answer, and returns all.
func (w *workers) stop() []answer {
	w.stopped.Store(true)
	w.all.Wait()
	return w.answers
}

// succeed fails the test unless every call got its answer.
func succeed(t *testing.T, answers []answer) {
	t.Helper()
	failed := 0
	for _, a := range answers {
		if a.status == http.StatusOK {
			continue
		}
		if failed++; failed <= 3 {
			t.Errorf("%s: %d from %s after %v: %.300s", a.name(), a.status, a.source, a.took.Round(time.Millisecond), a.body)
		}
	}
	if failed > 0 {
		t.Errorf("%d of %d calls failed", failed, len(answers))
	}
}

// last returns when the last of the answers had come, after from. Sidecar -1 is all.
func last(answers []answer, from time.Time, sidecar int) time.Duration {
	var d time.Duration
	for _, a := range answers {
		if sidecar < 0 || a.sidecar == sidecar {
			d = max(d, a.at.Sub(from))
		}
	}
	return d
}
