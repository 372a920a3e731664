package resources

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// spare is how much is allocated between two collections at least. A sidecar's live heap is 2 or
// 3 MB: with Go's own rule (collect when it has doubled, from 4 MB on) it collects each 100
// requests, which takes a tenth of its CPU time.
const spare = 8 << 20

// mostPercent bounds how much a heap may grow that was small at the last collection and holds a
// burst at the next: that one sets the pace for the one after it by the percentage of before.
const mostPercent = 400

// PaceCollector has the Go runtime collect garbage when spare was allocated, or the heap has
// doubled if that is more. The memory limit holds all the same. It is for a process whose GOGC
// nobody has set: call it once.
func PaceCollector() { pace(newPacer()) }

// pacer is found dead by every collection, which is how it notices them.
type pacer struct {
	live    []metrics.Sample
	percent int
}

func newPacer() *pacer { return &pacer{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}} }

// pace sets what the next collection waits for, and comes back after it.
func pace(p *pacer) {
	metrics.Read(p.live)
	if percent := percentFor(p.live[0].Value.Uint64(), debug.SetMemoryLimit(-1)); !near(percent, p.percent) {
		debug.SetGCPercent(percent)
		p.percent = percent
	}
	runtime.SetFinalizer(p, pace)
}

// percentFor is how much a heap of live bytes may grow, in a process that is to stay under limit
// bytes. Of a small limit it takes an eighth.
func percentFor(live uint64, limit int64) int {
	room := min(spare, limit/8)
	return max(100, min(mostPercent, int(100*room/int64(max(min(live, math.MaxInt32), 1<<20)))))
}

// near reports whether setting a instead of b is not worth that the world stops for it.
func near(a, b int) bool { return a <= b+b/4 && b <= a+a/4 }
