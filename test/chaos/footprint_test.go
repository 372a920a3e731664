package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"outrigger/test/process"
)

const mebibyte = 1 << 20

// footprint is what the process takes of its machine.
type footprint struct {
	goroutines, files, inflight int
	bodies                      int64 // bytes of requests and answers, in memory and on disk
	heap, resident              int64 // bytes
}

func (f footprint) String() string {
	return fmt.Sprintf("heap %.1f MiB, resident %.1f MiB, %d goroutines, %d descriptors, %d in flight",
		float64(f.heap)/mebibyte, float64(f.resident)/mebibyte, f.goroutines, f.files, f.inflight)
}

// footprint looks at the process now.
func (o *outrigger) footprint() footprint {
	o.t.Helper()
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(o.PID()), "fd"))
	if err != nil {
		process.Missing(o.t, "/proc of a process: %v", err)
	}
	m := o.metrics()
	return footprint{
		goroutines: int(m["go_goroutines"]), files: len(entries), inflight: int(m["outrigger_inflight"]),
		bodies: int64(m[`outrigger_body_bytes{where="memory"}`] + m[`outrigger_body_bytes{where="spool"}`]),
		heap:   int64(m["go_memstats_heap_alloc_bytes"]), resident: int64(m["process_resident_memory_bytes"]),
	}
}

// watch keeps the least heap since the last look: what is alive after a collection, while there is
// load that makes the collector run. It ends when stop is closed.
func (o *outrigger) watch(least *atomic.Int64, stop <-chan struct{}) {
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	for {
		heap := int64(o.metrics()["go_memstats_heap_alloc_bytes"])
		if was := least.Load(); was == 0 || heap < was {
			least.Store(heap)
		}
		select {
		case <-stop:
			return
		case <-again.C:
		}
	}
}

// Slack is what a few idle connections of the process's own have.
const slack = 10

// freed waits until the process holds no more than before, give or take that.
func (o *outrigger) freed(before footprint) footprint {
	o.t.Helper()
	var now footprint
	defer func() { o.t.Logf("at rest before: %v; after: %v", before, now) }()
	o.until("all is freed", func() bool {
		now = o.footprint()
		return now.inflight == 0 && now.bodies == 0 && now.goroutines <= before.goroutines+slack && now.files <= before.files+slack
	})
	return now
}
