package bench

import (
	"cmp"
	"net/http"
	"slices"
	"testing"
	"time"
)

// rounds of each child, alternating. Odd, so that a median is a round that was run.
const rounds = 21

// cost is one round of one child, per request.
type cost struct {
	cpu, allocs, bytes float64 // microseconds; objects and bytes allocated
	cut                int     // answers cut off, over the round
}

func (l load) measure(tb testing.TB, client *http.Client, c *child, n int) cost {
	tb.Helper()
	before := c.reading(tb, "read")
	cut := l.run(tb, client, c.url, n)
	after := c.reading(tb, "read")
	return cost{
		cpu:    float64(after.CPU-before.CPU) / float64(time.Microsecond) / float64(n),
		allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
		bytes:  float64(after.Bytes-before.Bytes) / float64(n),
		cut:    cut,
	}
}

// BenchmarkOverhead reports, per request, the CPU time and the allocations of both
// proxies, and the ratio of their CPU times (1 would be free). The promise is 1.25;
// over 1.5 the benchmark fails.
//
// bare-cut-ppm is how many answers in a million the bare proxy cut off. It is not
// the benchmark's doing: when the upstream's answer overtakes the transport's last
// look at the request body, ReverseProxy closes the connection (golang/go#40747).
// Outrigger reads the body first, and must not cut any.
func BenchmarkOverhead(b *testing.B) {
	for kind, l := range loads {
		b.Run("kind:"+kind, func(b *testing.B) {
			upstream, _ := newUpstream(b)
			client := newClient(b, l.callers)
			without, with := start(b, bare, upstream), start(b, outrigger, upstream)
			for _, c := range []*child{without, with} {
				l.run(b, client, c.url, l.requests/2) // connections, pools and heap size settle
			}
			for b.Loop() {
				report(b, l, client, without, with)
			}
			b.ReportMetric(0, "ns/op") // time on the wall includes the parent's work
		})
	}
}

func report(b *testing.B, l load, client *http.Client, without, with *child) {
	b.Helper()
	var plain, full []cost
	var ratios []float64
	cut := 0
	for range rounds {
		p := l.measure(b, client, without, l.requests)
		f := l.measure(b, client, with, l.requests)
		plain, full = append(plain, p), append(full, f)
		ratios = append(ratios, f.cpu/p.cpu) // of neighbors: what slows both cancels
		cut += p.cut
		if f.cut > 0 {
			b.Errorf("Outrigger cut %d answers off", f.cut)
		}
	}
	ratio := median(ratios, func(r float64) float64 { return r })
	b.ReportMetric(median(plain, cost.byCPU), "bare-cpu-us/req")
	b.ReportMetric(median(full, cost.byCPU), "outrigger-cpu-us/req")
	b.ReportMetric(ratio, "cpu-ratio")
	b.ReportMetric(ratios[len(ratios)/4], "cpu-ratio-p25")
	b.ReportMetric(ratios[len(ratios)*3/4], "cpu-ratio-p75")
	if l.events > 0 {
		b.ReportMetric(median(plain, cost.byCPU)/float64(l.events), "bare-cpu-us/event")
		b.ReportMetric(median(full, cost.byCPU)/float64(l.events), "outrigger-cpu-us/event")
	}
	b.ReportMetric(median(plain, cost.byAllocs), "bare-allocs/req")
	b.ReportMetric(median(full, cost.byAllocs), "outrigger-allocs/req")
	b.ReportMetric(median(plain, cost.byBytes), "bare-B/req")
	b.ReportMetric(median(full, cost.byBytes), "outrigger-B/req")
	b.ReportMetric(float64(cut)/rounds/float64(l.requests)*1e6, "bare-cut-ppm")
	if ratio > 1.5 {
		b.Errorf("Outrigger needs %.2f times the CPU of a bare reverse proxy", ratio)
	}
}

func (c cost) byCPU() float64    { return c.cpu }
func (c cost) byAllocs() float64 { return c.allocs }
func (c cost) byBytes() float64  { return c.bytes }

// median sorts list in place.
func median[T any](list []T, by func(T) float64) float64 {
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(by(a), by(b)) })
	return by(list[len(list)/2])
}

// The benchmarks' answers are only worth something if both children do the work
// and their readings move with it.
func TestBothProxiesRelayEveryByteAndCountTheirOwnWork(t *testing.T) {
	upstream, _ := newUpstream(t)
	for role := range roles {
		for kind, l := range loads {
			t.Run(role+" "+kind, func(t *testing.T) {
				c := start(t, role, upstream)
				got := l.measure(t, newClient(t, l.callers), c, 32)
				if got.cpu <= 0 || got.allocs < 10 {
					t.Errorf("32 requests cost %+v per request, want CPU time and at least 10 allocations", got)
				}
			})
		}
	}
}
