package crowd

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// perMinute is the limit that the line of this test stands at.
const perMinute = 60

// TestAllWhoWaitInLineLeaveAtOnce fills one limiter's line to OUTRIGGER_QUEUE_MAX,
// asks for one place more, and lets everybody leave in the same moment.
func TestAllWhoWaitInLineLeaveAtOnce(t *testing.T) {
	places := scaled(2000, 10_000)
	var seen atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		seen.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"object":"crowd"}`))
	}))
	t.Cleanup(upstream.Close)
	// A deadline that even the last in line would meet: else nobody is let into a line this long.
	o := start(t, "OUTRIGGER_UPSTREAMS=test="+upstream.URL, "OUTRIGGER_TIMEOUT=24h",
		"OUTRIGGER_RPM="+strconv.Itoa(perMinute), "OUTRIGGER_QUEUE_MAX="+strconv.Itoa(places))
	before, heap, peak := o.footprint(), o.heap(), o.watch()
	began := time.Now()

	crowd, leave := context.WithCancel(t.Context())
	defer leave()
	clients := []*http.Client{newClient(http1), newClient(http2)}
	var all sync.WaitGroup
	var answered, refused atomic.Int64
	join := func(i int) {
		for crowd.Err() == nil { // those who were served, or came when it was full, come again
			switch r := chat(crowd, clients[i%2], o.base); {
			case r.status == http.StatusOK:
				answered.Add(1)
			case r.status != 0:
				judgeFull(t, r)
				refused.Add(1)
			case crowd.Err() == nil:
				t.Errorf("waiter %d: %v", i, r.err)
			}
		}
	}
	for i := range places {
		all.Go(func() { join(i) })
	}
	until(t, "the line is full", func() bool { return o.status().queue() == places })
	until(t, "some were let go", func() bool { return seen.Load() >= 3 })
	extra := newClient(http1)
	r := chat(t.Context(), extra, o.base) // its answer comes at once, or this test hangs
	if r.status != http.StatusOK {        // the head has just gone
		judgeFull(t, r)
	}
	t.Logf("one more is told: %d, Retry-After %q, %s", r.status, r.header.Get("Retry-After"), r.text)
	t.Logf("the line is full: %v", o.footprint())

	leave()
	all.Wait()
	until(t, "the line is empty", func() bool { return o.status().queue() == 0 })
	most, took := peak(), time.Since(began)
	t.Logf("%d answered, %d refused, %d seen upstream in %v; at most: %v", answered.Load(), refused.Load(), seen.Load(), took, most)
	if allowed := int64(perMinute); took < time.Minute && seen.Load() > allowed {
		t.Errorf("the upstream saw %d requests in %v, %d a minute are allowed", seen.Load(), took, allowed)
	}
	if !raced && most.resident > 64*mebibyte+int64(places)*(96<<10) {
		t.Errorf("resident memory reached %d MiB for %d waiters", most.resident/mebibyte, places)
	}
	if r := chat(t.Context(), extra, o.base); r.status != http.StatusOK {
		t.Errorf("a request after all have left: %+v", r)
	}
	for _, c := range append(clients, extra) {
		c.CloseIdleConnections()
	}
	o.allFreed(t, before)
	until(t, "the heap is back", func() bool { return o.heap() < heap+16*mebibyte })
}

// heap is what the process has on its heap, garbage included. To ask makes
// garbage, and so in the end a collection.
func (o *outrigger) heap() int64 { return int64(o.metrics()["go_memstats_heap_alloc_bytes"]) }

// judgeFull checks the answer to one who finds the line full.
func judgeFull(t *testing.T, r result) {
	t.Helper()
	code, err := r.ownError()
	if err != nil || code != "local_rate_limit" || r.header.Get("X-Outrigger-Attempts") != "0" || r.header.Get("X-Outrigger-Queue-Ms") != "0" {
		t.Errorf("who finds the line full gets %d %s %v, header %v", r.status, r.text, err, r.header)
	}
}

func chat(ctx context.Context, client *http.Client, base string) result {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/chat/completions",
		strings.NewReader(`{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		return result{err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer sk-crowd")
	return do(client, request)
}
