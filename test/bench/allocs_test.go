package bench

import "testing"

// What one complete answer may cost Outrigger. Allocations are the same on every machine
// and under any load, so they are a bound; the CPU time is only told.
const (
	mostAllocs     = 175
	mostAllocRatio = 1.4 // of the bare proxy's
)

func TestACompleteAnswerAllocatesAtMost(t *testing.T) {
	upstream, _ := newUpstream(t)
	l := loads["unary"]
	client := newClient(t, l.callers)
	without, with := start(t, bare, upstream), start(t, outrigger, upstream)
	for _, c := range []*child{without, with} {
		l.run(t, client, c.url, l.requests/2) // connections and pools settle
	}
	plain, full := l.measure(t, client, without, l.requests), l.measure(t, client, with, l.requests)
	t.Logf("CPU per request: bare %.0f µs, Outrigger %.0f µs, ratio %.2f", plain.cpu, full.cpu, full.cpu/plain.cpu)
	t.Logf("allocations per request: bare %.1f, Outrigger %.1f, ratio %.2f", plain.allocs, full.allocs, full.allocs/plain.allocs)
	if full.allocs > mostAllocs || full.allocs > mostAllocRatio*plain.allocs {
		t.Errorf("Outrigger allocates %.1f times per request, the bare proxy %.1f: want at most %d, and %.1f times as often", full.allocs, plain.allocs, mostAllocs, mostAllocRatio)
	}
}
