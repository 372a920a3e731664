package crowd

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/internal/sim"
)

// The mixed load: so many calls a second, of so many credentials and models.
const (
	steadyRate   = 80
	steadyKeys   = 200
	steadyModels = 100
	steadyGrowth = 5 * mebibyte
)

// loadTime is OUTRIGGER_TEST_LOAD, or 12 s: how long the mixed load lasts. The first part of it
// warms up.
func loadTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("OUTRIGGER_TEST_LOAD")
	if text == "" {
		return 12 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		t.Fatalf("OUTRIGGER_TEST_LOAD=%q, want a duration", text)
	}
	return d
}

// TestTheHeapStaysWhereItWasUnderMixedLoad calls with 200 credentials for 100 models: chats,
// streams, embeddings, lists, some of which fail or are refused once. What is alive after the load
// is what was alive when it had just begun. In a load of an hour and more, each
// credential calls all models; then the test waits for what goes by time, and compares with the
// heap before the first call.
func TestTheHeapStaysWhereItWasUnderMixedLoad(t *testing.T) {
	models := make([]string, steadyModels)
	for i := range models {
		models[i] = "model-" + strconv.Itoa(i)
	}
	upstream := sim.New(sim.Config{Models: models, LedgerSize: 1})
	t.Cleanup(upstream.Close)
	var answers atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := answers.Add(1); {
		case n%50 == 0:
			notNow(w, http.StatusInternalServerError, "server_error")
		case n%70 == 0:
			w.Header().Set("Retry-After", "1")
			notNow(w, http.StatusTooManyRequests, "rate_limit_exceeded")
		default:
			upstream.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	o := start(t, "OUTRIGGER_UPSTREAMS=test="+server.URL)
	long := loadTime(t)
	m := &mixed{o: o, client: newClient(http1), random: rand.New(rand.NewPCG(1, 2)), all: long >= time.Hour}
	t.Cleanup(m.client.CloseIdleConnections)

	look := min(long/4, 10*time.Second)
	idle := o.live(look)
	m.run(max(long/12, 3*time.Second))
	before := o.live(look, m)
	m.run(long - long/12 - 2*look)
	after := o.live(look, m)
	t.Logf("alive: %.1f MiB idle, %.1f under load, %.1f after %d calls in %v, of which %d failed; %v",
		mib(idle), mib(before), mib(after), m.calls.Load(), long, m.failed.Load(), o.footprint())
	if after > before+steadyGrowth {
		t.Errorf("%.1f MiB are alive after the load and %.1f before, want at most %d more", mib(after), mib(before), steadyGrowth/mebibyte)
	}
	if share := float64(m.failed.Load()) / float64(m.calls.Load()); share > 0.001 {
		t.Errorf("%.2f %% of the calls failed", 100*share)
	}
	if long < time.Hour {
		return
	}
	// The collector runs every two minutes when nothing else makes it run.
	time.Sleep(18 * time.Minute)
	rest := o.live(150 * time.Second)
	t.Logf("alive 20 minutes later: %.1f MiB; %v", mib(rest), o.footprint())
	if rest > idle+steadyGrowth {
		t.Errorf("%.1f MiB are alive 20 minutes after the load and %.1f before the first call, want at most %d more", mib(rest), mib(idle), steadyGrowth/mebibyte)
	}
}

func mib(n int64) float64 { return float64(n) / mebibyte }

func notNow(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"message":"Not now.","type":%q,"code":%q}}`, code, code)
}

// live is the least that the heap held within d: what is alive right after a collection. With
// a load, that goes on meanwhile and makes the collector run.
func (o *outrigger) live(d time.Duration, load ...*mixed) int64 {
	o.t.Helper()
	var busy sync.WaitGroup
	for _, m := range load {
		busy.Go(func() { m.run(d) })
	}
	least := int64(1) << 60
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		least = min(least, int64(o.metrics()["go_memstats_heap_alloc_bytes"]))
	}
	busy.Wait()
	return least
}

// mixed is the load.
type mixed struct {
	o             *outrigger
	client        *http.Client
	random        *rand.Rand
	all           bool // each credential calls every model, not one
	calls, failed atomic.Int64
}

// run makes calls for d, each at its time whether or not those before have ended.
func (m *mixed) run(d time.Duration) {
	var all sync.WaitGroup
	began := time.Now()
	for i := 0; ; i++ {
		at := began.Add(time.Duration(i) * time.Second / steadyRate)
		if at.Sub(began) >= d {
			break
		}
		time.Sleep(time.Until(at))
		key, model, kind := m.random.IntN(steadyKeys), m.random.IntN(steadyModels), m.random.IntN(5)
		if !m.all {
			model = key % steadyModels
		}
		all.Go(func() { m.call(key, model, kind) })
	}
	all.Wait()
}

func (m *mixed) call(key, model, kind int) {
	method, path, body := http.MethodPost, "/v1/chat/completions", `{"model":"model-%d","max_tokens":4,"messages":[{"role":"user","content":"hi"}]}`
	switch kind {
	case 0:
		body = `{"model":"model-%d","max_tokens":4,"stream":true,"messages":[{"role":"user","content":"hi"}]}`
	case 1:
		path, body = "/v1/embeddings", `{"model":"model-%d","input":"hi"}`
	case 2:
		method, path, body = http.MethodGet, "/v1/models", ""
	}
	var src io.Reader
	if body != "" {
		src = bytes.NewReader(fmt.Appendf(nil, body, model))
	}
	request, err := http.NewRequestWithContext(m.o.t.Context(), method, m.o.base+path, src)
	if err != nil {
		m.failed.Add(1)
		return
	}
	request.Header.Set("Authorization", fmt.Sprintf("Bearer sk-steady-%d", key))
	request.Header.Set("Content-Type", "application/json")
	m.calls.Add(1)
	if r := do(m.client, request); r.err != nil || r.status != http.StatusOK {
		m.failed.Add(1)
	}
}
