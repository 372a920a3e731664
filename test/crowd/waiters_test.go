package crowd

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// inflightMax is how many of the waiters may be at the upstream.
const inflightMax = 8

// TestWaitersKeepTheirBodiesWithinBounds lets a crowd with bodies of 1 MiB wait
// for a slot at an upstream that hangs. Half of them leave; the others are served.
func TestWaitersKeepTheirBodiesWithinBounds(t *testing.T) {
	callers, size := scaled(1000, 10_000), int64(mebibyte)
	memoryMax := int64(scaled(64, 256)) * mebibyte
	upstream := newSink(t, size)
	leaver := func(id int) bool { return id%2 == 1 }
	upstream.leaves = leaver // on their way to the upstream, maybe
	o := start(t, "OUTRIGGER_UPSTREAMS=test="+upstream.url, "OUTRIGGER_MAX_INFLIGHT="+strconv.Itoa(inflightMax),
		"OUTRIGGER_LEARN=false", "OUTRIGGER_TIMEOUT=1h", "OUTRIGGER_BODY_MEMORY=2MiB", "OUTRIGGER_MEMORY_MAX="+mebibytes(memoryMax))
	before, peak := o.footprint(), o.watch()

	leaving, leave := context.WithCancel(t.Context())
	defer leave()
	client := newClient(http1)
	results, all := make([]result, callers), sync.WaitGroup{}
	var answered, left atomic.Int64 // callers that are back, and those of them that were to leave
	for id := range callers {
		ctx := t.Context()
		if leaver(id) {
			ctx = leaving
		}
		all.Go(func() {
			results[id] = send(ctx, client, o.base, body{id: id, size: size}, id%4 < 2)
			answered.Add(1)
			if leaver(id) {
				left.Add(1)
			}
		})
	}
	var waiting footprint
	until(t, "all bodies are kept", func() bool {
		waiting = o.footprint()
		return waiting.inflight+int(answered.Load()) == callers && waiting.memory+waiting.spool >= int64(waiting.inflight)*size
	})
	t.Logf("all %d wait: %v", callers, waiting)
	atOnce := upstream.mostSoFar()
	leave()
	until(t, "half have left", func() bool {
		return left.Load() == int64(callers/2) && o.footprint().inflight+int(answered.Load()) == callers
	})
	t.Logf("half have left: %v", o.footprint())
	// The upstream hears of those that left a little after others took their slots.
	until(t, "the upstream has heard of it", func() bool { return upstream.mostSoFar() <= inflightMax })
	upstream.answer()
	began := time.Now()
	all.Wait()
	t.Logf("the others are served in %v", time.Since(began))
	most := peak()
	t.Logf("at most: %v", most)

	complaints, refused := newComplaints(t), 0
	for id, r := range results {
		_, arrived, _ := upstream.whole(id)
		if code, err := r.ownError(); err == nil && (code == "spool_full" || code == "resources_exhausted") && arrived == 0 {
			refused++ // the crowd of full size has nearly all descriptors that there usually are
			continue
		}
		if left := leaver(id); left && (r.err == nil || arrived > 1) || !left && (!isAnswer(r.text, id) || arrived != 1) {
			complaints.addf("caller %d: status %d, error %v, %.200s; its body arrived whole %d times", id, r.status, r.err, r.text, arrived)
		}
	}
	if refused > callers/20 {
		t.Errorf("%d of %d were refused", refused, callers)
	}
	atOnce = max(atOnce, upstream.mostSoFar())
	if _, _, broken := upstream.whole(0); len(broken) > 0 || atOnce > inflightMax {
		t.Errorf("bodies that arrived broken: %v; %d were sent at once", broken, atOnce)
	}
	if most.memory > memoryMax || waiting.memory < memoryMax/2 {
		t.Errorf("bodies took %d bytes of memory, and %d while all waited; the bound is %d", most.memory, waiting.memory, memoryMax)
	}
	o.boundResident(most, memoryMax, callers)
	client.CloseIdleConnections()
	o.works(upstream, size)
	upstream.hangUp()
	o.allFreed(t, before)
}
