package limiter

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"outrigger/internal/memnet"
	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
	"outrigger/internal/sim/oracle"
	"outrigger/test/chance"
)

// middling is a network like a continent's.
var middling = memnet.Latency{OneWay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond}

// errand is one call of a random load.
type errand struct {
	call
	leaves time.Duration // its caller goes away so long after it came, 0 is never
	cost   meter.Cost
}

// timeLimit is the call's own timeout, 0 if it has none.
func (e *errand) timeLimit() time.Duration {
	s, _ := strconv.Atoi(e.timeout)
	return time.Duration(s) * time.Second
}

// randomLoad is an upstream, the way to it and calls, all drawn from a seed. The jitter
// of the network and the order of what comes at once are not.
type randomLoad struct {
	name     string
	upstream sim.Config
	says     telling
	network  memnet.Latency
	phase    time.Duration
	errands  []errand
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func drawLoad(seed uint64) *randomLoad {
	r := rand.New(rand.NewPCG(seed, 0))
	l := &randomLoad{says: one(r, tellings...), network: one(r, near, near, middling, far)}
	rate, per, seconds := one(r, 2, 5, 10, 20), 500, 5+r.IntN(25)
	kind := one(r, "requests", "requests", "tokens", "both", "images")
	limit := meter.Limit{CountRefusals: r.IntN(2) == 0}
	switch kind {
	case "requests":
		limit.RPM = 60 * rate
	case "tokens":
		limit.TPM = 60 * rate * per
	case "both":
		limit.RPM, limit.TPM = 60*rate, 60*rate*per
	case "images":
		limit.IPM = 60 * rate
	}
	enforce := one(r, "bucket", "minute", "seconds", "tens", "clock")
	switch enforce {
	case "bucket":
		limit.Burst = one(r, time.Second, 5*time.Second)
	case "seconds":
		limit.Enforce = meter.Quanta
	case "tens":
		limit.Enforce, limit.Quantum = meter.Quanta, 10*time.Second
	case "clock":
		limit.Enforce = meter.Window
		seconds *= 4
	}
	l.upstream = sim.Config{Latency: one(r, thought, time.Second), TokenDelay: one(r, 0, 20*time.Millisecond), Limits: []meter.Limit{limit}}
	if l.says == text {
		l.upstream.Style = sim.NoHeaders
	}
	l.phase = time.Duration(r.Int64N(int64(time.Minute)))
	shape := one(r, "at once", "evenly", "bursts")
	n := min(rate*seconds, 400)
	span := time.Duration(float64(n) / float64(rate) * (0.3 + r.Float64()) * float64(time.Second))
	patient, leaving := one(r, 1, 0.7), one(r, 0, 0, 0.2)
	for i := range n {
		e := errand{call: call{stream: r.IntN(3) == 0}}
		switch shape {
		case "evenly":
			e.at = span * time.Duration(i) / time.Duration(n)
		case "bursts":
			e.at = span / 4 * time.Duration(r.IntN(4))
		}
		if kind == "images" {
			e.path, e.model, e.images, e.stream = "/v1/images/generations", "gpt-image-1", 1+r.IntN(2), false
		} else {
			e.tokens = one(r, per/2, per, per, 2*per)
		}
		e.cost = meter.Cost{Tokens: e.tokens, Images: e.images}
		if r.Float64() >= patient {
			e.timeout = strconv.Itoa(2 + r.IntN(1+seconds))
		}
		if r.Float64() < leaving {
			e.leaves = time.Duration(1 + r.Int64N(int64(span)+int64(time.Second)))
		}
		l.errands = append(l.errands, e)
	}
	l.name = fmt.Sprintf("seed %d: %s, %s, %+v, %d calls %s over %v, %+v, %+v", seed, enforce, l.says, limit, n, shape, span, l.network, l.upstream.Latency)
	return l
}

// TestRandomLoadsThroughTheWholeProxy sends random loads through a proxy of which nothing
// is configured: see package chance.
func TestRandomLoadsThroughTheWholeProxy(t *testing.T) {
	var lost []loss
	for seed := range chance.Seeds(t, 60) {
		l := drawLoad(seed)
		bubbleBehind(t, l.upstream, l.network, l.phase, l.says.of, func(g *rig) { lost = append(lost, l.play(g)) })
		if t.Failed() {
			break
		}
	}
	t.Logf("%d loads", len(lost))
	few(t, "loads that lost over a tenth of the time", lost, func(l loss) bool { return l.time > 0.1 })
	few(t, "loads of which over an eighth was refused", lost, func(l loss) bool { return l.refused > 0.125 })
}

// few holds that what was true of a fifth to a quarter of 1,300 loads is true of no more:
// it fails at five standard deviations over a quarter, so not by chance.
func few(t *testing.T, what string, lost []loss, is func(loss) bool) {
	t.Helper()
	count, n := 0.0, float64(len(lost))
	for _, l := range lost {
		if is(l) {
			count++
		}
	}
	hold(t, what, count, n/4+5*math.Sqrt(n*3/16)+3)
}

// loss is what a load lost against the oracle: how much longer it took, as a share of the
// oracle's time and 10 s, and which share of its calls was refused.
type loss struct{ time, refused float64 }

// play sends the load, and holds what callers and the upstream saw of it.
func (l *randomLoad) play(g *rig) loss {
	answers := make([]answered, len(l.errands))
	var wg sync.WaitGroup
	for i, e := range l.errands {
		wg.Go(func() {
			time.Sleep(e.at) // the bubble's clock
			ctx := context.Background()
			if e.leaves > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, e.leaves)
				defer cancel()
			}
			answers[i] = g.do(ctx, strconv.Itoa(i), e.call)
		})
	}
	wg.Wait()
	time.Sleep(time.Second) // the bubble's clock: what is under way arrives
	seen := make([][]ledger.Entry, len(l.errands))
	refused := 0
	for _, e := range g.sim.Ledger().Entries(ledger.Filter{}) {
		i, _ := strconv.Atoi(e.Request)
		seen[i] = append(seen[i], e)
		if e.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	bad := func(i int, format string, args ...any) {
		g.t.Errorf("%s\ncall %d, %+v, answered %d %.200s after %v: %s", l.name, i, l.errands[i], answers[i].status, answers[i].body, answers[i].took, fmt.Sprintf(format, args...))
	}
	o, last, best := oracle.New(l.upstream.Limits[0], g.start), time.Duration(0), time.Duration(0)
	order := make([]int, len(l.errands))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(l.errands[a].at - l.errands[b].at) })
	for _, i := range order {
		e, works := &l.errands[i], 0
		for _, entry := range seen[i] {
			at := entry.Time.Sub(g.start)
			if entry.Work {
				works++
			}
			if entry.Status != http.StatusTooManyRequests {
				last = max(last, at)
				best = max(best, o.Next(g.start.Add(e.at), e.cost).Sub(g.start))
			}
			if end := e.at + e.timeLimit(); e.timeout != "" && at > end+l.network.OneWay+l.network.Jitter {
				bad(i, "was sent again at %v, its deadline was %v", at, end)
			}
			if end := e.at + e.leaves; e.leaves > 0 && at > end+l.network.OneWay+l.network.Jitter {
				bad(i, "was sent at %v, its caller left at %v", at, end)
			}
		}
		switch {
		case e.leaves > 0:
		case works > 1:
			bad(i, "was carried out %d times", works)
		case answers[i].status == http.StatusOK && works == 0:
			bad(i, "was answered and never carried out")
		case e.timeout == "" && answers[i].status != http.StatusOK:
			bad(i, "want 200: it has time")
		case e.timeout != "" && (!e.stream || answers[i].status != http.StatusOK) && answers[i].took > e.timeLimit(): // a stream that has begun goes on
			bad(i, "want an answer by its time limit")
		}
	}
	l.inOrder(g, seen)
	lost := loss{(last - best).Seconds() / (best.Seconds() + 10), float64(refused) / float64(len(l.errands))}
	allowed := 5*best + 50*time.Second
	if l.upstream.Limits[0].Enforce == meter.Window { // what misses a minute's turn waits for the next
		allowed += 2 * time.Minute
	}
	if last-best > allowed || lost.refused > 4 && refused > 100 {
		g.t.Errorf("%s\ntook %v instead of %v, and %d were refused", l.name, last, best, refused)
	}
	return lost
}

// inOrder holds that of calls that cost the same the one that came earlier is sent first,
// but for what the network and new connections make of it.
func (l *randomLoad) inOrder(g *rig, seen [][]ledger.Entry) {
	slack := 100*time.Millisecond + 6*l.network.OneWay
	latest := map[meter.Cost]time.Duration{} // among those that came before, when the latest one arrived upstream
	var came []int
	for i := range l.errands {
		if len(seen[i]) > 0 && l.errands[i].leaves == 0 {
			came = append(came, i)
		}
	}
	slices.SortFunc(came, func(a, b int) int { return int(l.errands[a].at - l.errands[b].at) })
	for at := 0; at < len(came); {
		next := at
		for ; next < len(came) && l.errands[came[next]].at == l.errands[came[at]].at; next++ {
			i := came[next]
			if sent := seen[i][0].Time.Sub(g.start); sent+slack < latest[l.errands[i].cost] {
				g.t.Errorf("%s\ncall %d, which came at %v, was sent at %v, one that had come before it at %v", l.name, i, l.errands[i].at, sent, latest[l.errands[i].cost])
				return
			}
		}
		for ; at < next; at++ {
			i := came[at]
			latest[l.errands[i].cost] = max(latest[l.errands[i].cost], seen[i][0].Time.Sub(g.start))
		}
	}
}
