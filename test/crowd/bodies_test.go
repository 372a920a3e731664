package crowd

import (
	"context"
	"net/http"
	"sync"
	"testing"
)

// TestBodiesThatDoNotFitAreRefusedOrPassedOn sends twice the bodies that memory
// and spool can keep, at an upstream that reads them and holds its answers, so
// that none is let go while the others come.
func TestBodiesThatDoNotFitAreRefusedOrPassedOn(t *testing.T) {
	callers, size := scaled(100, 1000), int64(20_000_000)
	memoryMax, spoolMax := int64(64*mebibyte), int64(1024*mebibyte)
	if full {
		memoryMax, spoolMax = 256*mebibyte, 10240*mebibyte
	}
	upstream := newSink(t, size)
	o := start(t, "OUTRIGGER_UPSTREAMS=test="+upstream.url,
		"OUTRIGGER_MEMORY_MAX="+mebibytes(memoryMax), "OUTRIGGER_SPOOL_MAX="+mebibytes(spoolMax))
	before, peak := o.footprint(), o.watch()

	clients := []*http.Client{newClient(http1), newClient(http2)}
	results, all := make([]result, callers), sync.WaitGroup{}
	var mu sync.Mutex
	answered := 0
	for id := range callers {
		all.Go(func() {
			// Every kind of caller: create or not, HTTP/1.1 or 2, announced length or not.
			b := body{id: id, size: size, create: id%2 == 0}
			results[id] = send(t.Context(), clients[id/2%2], o.base, b, id/4%2 == 0)
			mu.Lock()
			defer mu.Unlock()
			answered++
		})
	}
	until(t, "each body is refused, or whole at the upstream", func() bool {
		whole, _, _ := upstream.whole(0)
		mu.Lock()
		defer mu.Unlock()
		return whole+answered >= callers
	})
	upstream.answer()
	all.Wait()
	most := peak()

	counts := judgeBodies(t, upstream, results)
	t.Logf("%d bodies of %d bytes, limits %d and %d MiB: %v; at most: %v",
		callers, size, memoryMax/mebibyte, spoolMax/mebibyte, counts, most)
	if counts["refused"] == 0 || counts["kept"] == 0 {
		t.Error("the crowd was not one that partly fits")
	}
	if most.memory > memoryMax || most.spool > spoolMax {
		t.Errorf("bodies took %d bytes of memory and %d of disk; the bounds are %d and %d", most.memory, most.spool, memoryMax, spoolMax)
	}
	if most.spool < spoolMax/2 {
		t.Errorf("only %d bytes of the spool were used", most.spool)
	}
	o.boundResident(most, memoryMax, callers)
	for _, c := range clients {
		c.CloseIdleConnections()
	}
	o.works(upstream, size)
	upstream.hangUp()
	o.allFreed(t, before)
}

// boundResident holds the process's memory to the bound of bodies, what a
// connection and its request take, and what the collector leaves lying about.
func (o *outrigger) boundResident(most footprint, memoryMax int64, callers int) {
	o.t.Helper()
	const alone, each = 64 * mebibyte, 128 << 10
	if bound := alone + 2*memoryMax + int64(callers)*each; !raced && most.resident > bound {
		o.t.Errorf("resident memory reached %d MiB, want at most %d", most.resident/mebibyte, bound/mebibyte)
	}
}

// judgeBodies holds every answer to its rule and counts them.
func judgeBodies(t *testing.T, upstream *sink, results []result) map[string]int {
	t.Helper()
	counts, complaints := map[string]int{}, newComplaints(t)
	for id, r := range results {
		create := id%2 == 0
		_, arrived, _ := upstream.whole(id)
		if r.status == http.StatusOK && r.err == nil {
			if !isAnswer(r.text, id) || arrived != 1 || r.header.Get("X-Outrigger-Attempts") != "1" {
				complaints.addf("caller %d: answer %.100q; its body arrived whole %d times, header %v", id, r.text, arrived, r.header)
			}
			if create {
				counts["created"]++
			} else {
				counts["kept"]++
			}
			continue
		}
		code, err := r.ownError()
		if err != nil || code != "spool_full" || create || arrived != 0 {
			complaints.addf("caller %d (create: %v): %s, %v; its body arrived whole %d times", id, create, code, err, arrived)
		}
		counts["refused"]++
	}
	if _, _, broken := upstream.whole(0); len(broken) > 0 {
		t.Errorf("%d bodies arrived broken, the first: %v", len(broken), broken[0])
	}
	return counts
}

// works sees a further request through.
func (o *outrigger) works(upstream *sink, size int64) {
	o.t.Helper()
	client := newClient(http1)
	defer client.CloseIdleConnections()
	const id = 1_000_001
	r := send(context.Background(), client, o.base, body{id: id, size: size}, true)
	_, arrived, _ := upstream.whole(id)
	if r.status != http.StatusOK || r.err != nil || !isAnswer(r.text, id) || arrived != 1 {
		o.t.Errorf("afterwards a normal request gets %+v", r)
	}
}
