package bench

import (
	"slices"
	"testing"
	"time"

	"outrigger/test/process"
)

// What a process may use that has nothing to do, and how long its start may take.
const (
	mostResident = 20 << 20
	mostOwn      = 6 << 20 // of that, what is not the binary's own pages: those are shared, and Linux maps them as it likes
	mostStart    = 100 * time.Millisecond
	mostIdle     = 10 * time.Millisecond // CPU time in idleTime: one tick of Linux's clock
	idleTime     = 30 * time.Second
	settleTime   = 10 * time.Second
	starts       = 11
)

// Its heap is small because nothing big is made at the start, such as regular expressions that no
// request has needed.
func TestIdle_ResidentMemory(t *testing.T) {
	needLinux(t)
	if process.Raced() {
		t.Skip("the race detector takes several times the memory")
	}
	b, _ := launch(t, process.Binary(t))
	time.Sleep(settleTime)
	all, own := b.resident(t)
	t.Logf("%.1f MiB resident, of which %.1f MiB are not the binary's pages", mib(all), mib(own))
	if all > mostResident || own > mostOwn {
		t.Errorf("%.1f MiB resident, of which %.1f MiB are not the binary's pages, want at most %.0f and %.0f MiB", mib(all), mib(own), mib(mostResident), mib(mostOwn))
	}
}

// BenchmarkIdle reports what the process uses while nothing comes, and fails over the bounds.
func BenchmarkIdle(b *testing.B) {
	needLinux(b)
	path := process.Binary(b)
	for b.Loop() {
		p, _ := launch(b, path)
		time.Sleep(settleTime)
		all, own := p.resident(b)
		used := p.cpu(b)
		time.Sleep(idleTime)
		used = p.cpu(b) - used
		b.ReportMetric(mib(all), "resident-MiB")
		b.ReportMetric(mib(own), "own-MiB")
		b.ReportMetric(milliseconds(used)/idleTime.Seconds(), "cpu-ms/s")
		if used > mostIdle || all > mostResident {
			b.Errorf("%v of CPU time in %v and %.1f MiB resident, want at most %v and %.0f MiB", used, idleTime, mib(all), mostIdle, mib(mostResident))
		}
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStart reports the time from exec until /readyz answers 200, and fails if the median is
// over its bound.
func BenchmarkStart(b *testing.B) {
	path := process.Binary(b)
	for b.Loop() {
		var took []time.Duration
		for range starts {
			p, d := launch(b, path)
			took = append(took, d)
			p.Stop(b)
		}
		slices.Sort(took)
		b.ReportMetric(milliseconds(took[len(took)/2]), "median-ms")
		b.ReportMetric(milliseconds(took[0]), "least-ms")
		b.ReportMetric(milliseconds(took[len(took)-1]), "most-ms")
		if median := took[len(took)/2]; median > mostStart {
			b.Errorf("ready after %v at the median, want at most %v", median, mostStart)
		}
	}
	b.ReportMetric(0, "ns/op")
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
