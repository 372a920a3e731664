package crowd

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"outrigger/test/process"
)

func TestZZDescriptors(t *testing.T) {
	upstream := newSink(t, mebibyte)
	traffic, admin := process.FreeAddress(t), process.FreeAddress(t)
	env := []string{
		"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_SPOOL_DIR=" + t.TempDir(),
		"OUTRIGGER_LOG_LEVEL=info", "OUTRIGGER_LOG_FORMAT=json", "OUTRIGGER_UPSTREAMS=test=" + upstream.url, "OUTRIGGER_MAX_INFLIGHT=8",
		"OUTRIGGER_TIMEOUT=1h", "OUTRIGGER_MEMORY_MAX=16MiB",
	}
	o := &outrigger{t: t, base: "http://" + traffic, admin: "http://" + admin,
		Process: process.Start(t, env, "sh", "-c", "ulimit -n 200; exec "+process.Binary(t)),
		asker:   &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}}
	o.Ready(t, o.admin+"/readyz")
	t.Logf("%v", o.footprint())
	client := newClient(http1)
	var all sync.WaitGroup
	results := make([]result, 400)
	var mu sync.Mutex
	n := 0
	for id := range results {
		all.Go(func() {
			results[id] = send(t.Context(), client, o.base, body{id: id, size: mebibyte, create: id%2 == 0}, true)
			mu.Lock()
			n++
			mu.Unlock()
		})
	}
	for range 5 {
		wait(t.Context(), time.Second)
		mu.Lock()
		t.Logf("answered %d files %d running %d", n, o.files(), upstream.running)
		mu.Unlock()
	}
	upstream.answer()
	all.Wait()
	counts := map[string]int{}
	for id, r := range results {
		code, _ := r.ownError()
		if r.err != nil {
			code = r.err.Error()
			if len(code) > 60 {
				code = code[len(code)-60:]
			}
		}
		_ = id
		counts[http.StatusText(r.status)+" "+code]++
	}
	t.Logf("%v", counts)
	t.Logf("%v", o.status())
	o.works(upstream, mebibyte)
}
