package fleet

import (
	"net/http"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// eight queues of 800 calls in all.
var eight = []int{400, 200, 100, 50, 25, 15, 8, 2}

// burst is 800 calls at once at eight sidecars whose upstream lets 20 per second through.
type burst struct {
	name        string
	limit       meter.Limit
	tokens      []int // each call's, in turn; none is no max_tokens
	style       sim.Style
	says        func(http.Handler) http.Handler
	environment []string
}

const (
	rpm  = 1200
	rate = rpm / 60
	tpm  = 100 * rpm // the calls with tokens cost 100 on average
)

// Two ways in which an upstream holds a limit per minute in each second: with a bucket of
// a second's worth, and with shares that expire at a second's end.
var (
	bucket = meter.Limit{RPM: rpm, Burst: time.Second}
	shares = meter.Limit{RPM: rpm, Enforce: meter.Quanta}
	spill  = meter.Limit{TPM: tpm, Burst: time.Second}
)

// TestBurst_EightSidecarsFinishNearTheOptimum spreads calls unevenly over eight sidecars:
// together they take the time that one who knows the limit would take.
func TestBurst_EightSidecarsFinishNearTheOptimum(t *testing.T) {
	requests, tokens := []string{"OUTRIGGER_RPM=1200", "OUTRIGGER_LEARN=false"}, []string{"OUTRIGGER_TPM=120000", "OUTRIGGER_LEARN=false"}
	sizes := []int{50, 100, 150, 100}
	for _, b := range []burst{
		{name: "configured", limit: bucket, environment: requests},
		{name: "configured, shares", limit: shares, environment: requests},
		{name: "learned from headers", limit: bucket},
		{name: "learned from headers, shares", limit: shares},
		{name: "learned from refusals with a wait in words", limit: bucket, style: sim.NoHeaders},
		{name: "learned from refusals with a Retry-After", limit: bucket, says: bare},
		{name: "tokens, configured", limit: spill, tokens: sizes, environment: tokens},
		{name: "tokens, learned from headers", limit: spill, tokens: sizes},
		{name: "tokens, learned from refusals with a wait in words", limit: spill, tokens: sizes, style: sim.NoHeaders},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.play(t)
		})
	}
}

func (b burst) play(t *testing.T) {
	t.Helper()
	g := newRig(t, plan{
		upstream: sim.Config{Latency: thought, Style: b.style, Limits: []meter.Limit{b.limit}},
		says:     b.says, sidecars: len(eight), environment: b.environment,
	})
	calls := queues(call{label: "burst"}, eight...)
	costs := make([]int, len(calls))
	for i := range calls {
		if len(b.tokens) > 0 {
			calls[i].tokens = b.tokens[i%len(b.tokens)]
			costs[i] = calls[i].tokens
		}
	}
	start := time.Now()
	best := optimum(b.limit, start, costs) + thought
	answers := g.send(calls)
	hits := g.seen("burst")
	succeed(t, answers)
	t.Logf("served in each second: %s", hits.line(start, 45))
	for i, d := range fair(rate, eight...) {
		t.Logf("the sidecar with %d calls took %.2f s, fair is %.2f s", eight[i], last(answers, start, i).Seconds(), d.Seconds())
	}
	g.most("the time as a share of the optimum", float64(last(answers, start, -1))/float64(best), 1.08)
	g.most("refused in %", hits.refusedShare(), 3)
	quiet := len(eight) - 1
	g.most("the time of the quietest as a share of the fair one", float64(last(answers, start, quiet))/float64(fair(rate, eight...)[quiet]), 2)
}
