package crowd

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/internal/resources"
	"outrigger/test/process"
)

// TestACrowdLargerThanTheDescriptors gives the process 200 descriptors for 400
// callers whose bodies are spooled: three descriptors each. Every caller gets an
// answer, an error of the table among them, and the process comes through.
func TestACrowdLargerThanTheDescriptors(t *testing.T) {
	const callers, size = 400, mebibyte
	upstream := newSink(t, size)
	traffic, admin := process.FreeAddress(t), process.FreeAddress(t)
	o := &outrigger{
		t: t, base: "http://" + traffic, admin: "http://" + admin,
		Process: process.Start(t, []string{
			"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_SPOOL_DIR=" + t.TempDir(), "OUTRIGGER_LOG_LEVEL=error",
			"OUTRIGGER_UPSTREAMS=test=" + upstream.url, "OUTRIGGER_MAX_INFLIGHT=8", "OUTRIGGER_MEMORY_MAX=16MiB", "OUTRIGGER_BREAKER_WAIT=2s",
			"OUTRIGGER_MAX_CONNECTIONS=1000", // more than there are descriptors for
		}, "sh", "-c", `ulimit -n 200 && exec "$0"`, process.Binary(t)),
		asker: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second},
	}
	o.Ready(t, o.admin+"/readyz")
	before := o.footprint()
	client := newClient(http1)
	results, all := make([]result, callers), sync.WaitGroup{}
	for id := range callers {
		all.Go(func() {
			results[id] = send(t.Context(), client, o.base, body{id: id, size: size, create: id%2 == 0}, id%4 < 2)
		})
	}
	until(t, "descriptors are used up, but those kept for probes", func() bool { return o.files() >= 200-resources.Reserve(200) })
	upstream.answer()
	all.Wait()
	counts := map[string]int{}
	complaints := newComplaints(t)
	for id, r := range results {
		_, arrived, _ := upstream.whole(id)
		if r.status == http.StatusOK && r.err == nil && isAnswer(r.text, id) && arrived == 1 {
			counts["served"]++
			continue
		}
		code, err := r.ownError()
		if err != nil || arrived != 0 {
			complaints.addf("caller %d: %d %s, %v; its body arrived whole %d times", id, r.status, r.text, err, arrived)
		}
		counts[code]++
	}
	t.Logf("%v", counts)
	client.CloseIdleConnections()
	until(t, "the breaker is closed", func() bool { return o.status().Upstreams[0].Breaker != "open" })
	o.works(upstream, size)
	upstream.hangUp()
	o.allFreed(t, before)
	for _, sign := range []string{"panic", "fatal error", "DATA RACE"} {
		if strings.Contains(o.Output(), sign) {
			t.Errorf("its log has %q", sign)
		}
	}
}
