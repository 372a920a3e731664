package limit

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	simmeter "outrigger/internal/sim/meter"
	"outrigger/internal/sim/oracle"
)

var measure = flag.Bool("measure", false, "print how near the limiter comes to what realistic upstreams permit")

// measureSeeds is from how many seeds each figure is the median.
const measureSeeds = 5

// provider is an upstream as the limiter meets it.
type provider struct {
	name   string
	limit  simmeter.Limit
	says   telling
	coarse bool    // resets are told in whole seconds
	scale  float64 // real tokens per estimated one, 0 is 1
	fixed  int     // tokens charged for each request that sets no bound to its output
	random float64 // the share of requests that is refused by chance,
	wait   bool    // with a wait of a second
	others float64 // the share of the limit that somebody else uses
	halves bool    // the limit halves after a third of the time
	liar   float64 // the share of answers with a gateway's header of a limit of 1
	calls  int     // in a burst
	tokens int     // of one
}

func perMinute(rpm int, burst time.Duration, counts bool) simmeter.Limit {
	return simmeter.Limit{RPM: rpm, Burst: burst, CountRefusals: counts}
}

func shareOf(rpm int, quantum time.Duration, counts bool) simmeter.Limit {
	return simmeter.Limit{RPM: rpm, Enforce: simmeter.Quanta, Quantum: quantum, CountRefusals: counts}
}

var providers = []provider{
	{name: "OpenAI, 1 s bucket", limit: perMinute(1200, time.Second, true), says: tellsAll, calls: 400},
	{name: "OpenAI, 1 min bucket", limit: perMinute(500, 0, true), says: tellsAll, calls: 800},
	{name: "OpenAI, shares of 1 s", limit: shareOf(1200, time.Second, true), says: tellsAll, calls: 400},
	{name: "OpenAI, tokens", limit: simmeter.Limit{TPM: 120_000, Burst: 2 * time.Second}, says: tellsAll, calls: 120, tokens: 460, scale: 0.7},
	{name: "OpenAI, unbounded output", limit: simmeter.Limit{TPM: 200_000, Burst: 10 * time.Second}, says: tellsAll, calls: 60, tokens: 100, fixed: 4096},
	{name: "OpenAI, texts only", limit: perMinute(1200, time.Second, true), says: tellsText, calls: 400},
	{name: "Azure, shares of 1 s", limit: shareOf(600, time.Second, false), says: tellsSeconds, coarse: true, calls: 300},
	{name: "Azure, shares of 10 s", limit: shareOf(600, 10*time.Second, false), says: tellsSeconds, coarse: true, calls: 400},
	{name: "Azure, tokens in minutes", limit: simmeter.Limit{TPM: 60_000, Enforce: simmeter.Window}, says: tellsSeconds, coarse: true, calls: 300, tokens: 500},
	{name: "Anthropic, 5 s bucket", limit: perMinute(1000, 5*time.Second, false), says: tellsSeconds, coarse: true, calls: 400},
	{name: "Anthropic, tokens", limit: simmeter.Limit{RPM: 1000, TPM: 80_000, Burst: 10 * time.Second}, says: tellsSeconds, coarse: true, calls: 150, tokens: 500, scale: 0.7},
	{name: "Groq, requests", limit: perMinute(30, 0, false), says: tellsAll, calls: 60},
	{name: "Groq, tokens", limit: simmeter.Limit{TPM: 12_000}, says: tellsAll, calls: 60, tokens: 460},
	{name: "Gemini, minutes", limit: simmeter.Limit{RPM: 150, Enforce: simmeter.Window}, says: tellsMilli, calls: 400},
	{name: "Gemini, free", limit: simmeter.Limit{RPM: 15, Enforce: simmeter.Window}, says: tellsMilli, calls: 40},
	{name: "Mistral, shares of 1 s", limit: shareOf(360, time.Second, false), says: tellsNothing, calls: 180},
	{name: "xAI, shares of 1 s", limit: shareOf(480, time.Second, false), says: tellsRetry, calls: 240},
	{name: "OpenRouter, daily", limit: simmeter.Limit{RPM: 20, RPD: 200, Enforce: simmeter.Window}, says: tellsHeaders, coarse: true, calls: 90},
	{name: "silent, 1 s bucket", limit: perMinute(1200, time.Second, false), says: tellsNothing, calls: 400},
	{name: "silent, 15 s bucket", limit: perMinute(1200, 15*time.Second, false), says: tellsNothing, calls: 600},
	{name: "silent, minutes", limit: simmeter.Limit{RPM: 300, Enforce: simmeter.Window}, says: tellsNothing, calls: 500},
	{name: "refuses 1 of 10, silent", says: tellsNothing, random: 0.1, calls: 600},
	{name: "refuses 1 of 10, 1 s", says: tellsNothing, random: 0.1, wait: true, calls: 600},
	{name: "others use half, headers", limit: perMinute(1200, time.Second, false), says: tellsAll, others: 0.5, calls: 300},
	{name: "others use half, texts", limit: perMinute(1200, time.Second, false), says: tellsText, others: 0.5, calls: 300},
	{name: "limit halves, headers", limit: perMinute(1200, time.Second, false), says: tellsAll, halves: true, calls: 600},
	{name: "limit halves, silent", limit: perMinute(1200, time.Second, false), says: tellsNothing, halves: true, calls: 600},
	{name: "1 of 100 answers lies", limit: perMinute(1200, 0, false), says: tellsAll, liar: 0.01, calls: 1000},
}

// scenario is one measurement.
type scenario struct {
	provider
	far    bool
	keys   int
	stream bool // for a while as much as the limit, and a burst in its middle, in place of a burst
}

func (c scenario) String() string {
	return fmt.Sprintf("%s, %s, %d %s, %s", c.name, pickString(c.far, "far", "near"), c.keys, pickString(c.keys > 1, "keys", "key"), pickString(c.stream, "stream", "burst"))
}

func pickString(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func scenarios() []scenario {
	var all []scenario
	for _, p := range providers {
		for _, far := range []bool{false, true} {
			all = append(all, scenario{p, far, 1, false}, scenario{p, far, 4, false}, scenario{p, far, 1, true})
		}
	}
	return all
}

// upstream plays the provider with a meter that all keys share.
func (c scenario) upstream(m *simmeter.Meter, rnd *rand.Rand, start time.Time) func(time.Time, *Waiter) answer {
	return func(now time.Time, w *Waiter) answer {
		if c.random > 0 && now.Sub(start) > 2*time.Second && rnd.Float64() < c.random {
			var a answer
			if c.wait {
				a.refusal.Hint = time.Second
			}
			return a
		}
		cost := c.cost(w)
		d := m.Take(now, "", "", cost)
		a := answer{ok: d.Admitted}
		if c.says.headers() {
			h := levelHeaders(d)
			if c.coarse {
				for _, unit := range []string{"Requests", "Tokens"} {
					if v, err := time.ParseDuration(strings.Join(h["X-Ratelimit-Reset-"+unit], "")); err == nil {
						h["X-Ratelimit-Reset-"+unit] = []string{up(v, time.Second).String()}
					}
				}
			}
			if c.liar > 0 && rnd.Float64() < c.liar {
				h = limits("Requests", "1", "0", "60s")
			}
			a.headers = ParseHeaders(h, now)
		}
		if d.Admitted {
			return a
		}
		a.refusal.Headers = a.headers
		switch c.says {
		case tellsAll, tellsText:
			a.refusal.Dimension, a.refusal.Window = d.Dimension.Unit(), d.Dimension.Window()
			a.refusal.Limit, a.refusal.Used, a.refusal.Requested = float64(d.Limit), float64(d.Used), float64(d.Requested)
			a.refusal.Hint = up(d.Wait, time.Millisecond)
		case tellsMilli:
			a.refusal.Hint = up(d.Wait, time.Millisecond)
		case tellsSeconds, tellsRetry:
			a.refusal.Hint = up(d.Wait, time.Second)
		}
		return a
	}
}

func (c scenario) cost(w *Waiter) simmeter.Cost {
	scale := c.scale
	if scale == 0 {
		scale = 1
	}
	cost := costOf(w, scale)
	if w.Unbounded {
		cost.Tokens += c.fixed
	}
	return cost
}

// rate is how many of the scenario's requests the limit lets through per second.
func (c scenario) rate() float64 {
	r := 20.0
	if c.limit.RPM > 0 {
		r = float64(c.limit.RPM) / 60
	}
	if c.limit.TPM > 0 {
		r = min(r, float64(c.limit.TPM)/60/(float64(c.tokens)*max(c.scale, pick01(c.scale == 0))+float64(c.fixed)))
	}
	return r * (1 - c.others)
}

func pick01(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// jobs are the scenario's requests.
func (c scenario) jobs(rnd *rand.Rand) []*job {
	all := burst(c.calls, 100, 300*time.Millisecond)
	if c.tokens > 0 {
		for _, j := range all {
			j.Tokens = int(float64(c.tokens) * []float64{0.5, 0.5, 0.5, 1, 2.5}[rnd.IntN(5)])
			j.Unbounded = c.fixed > 0
		}
	}
	if c.stream {
		over := 1.1 * float64(c.calls) / c.rate()
		for i, j := range all {
			j.at = time.Duration(rnd.Float64() * over * float64(time.Second))
			if i%5 == 0 {
				j.at = time.Duration(over / 2 * float64(time.Second))
			}
		}
		slices.SortStableFunc(all, func(a, b *job) int { return int(a.at - b.at) })
	}
	return all
}

// figures are what came of a scenario.
type figures struct {
	time    float64 // until the last was let through, as a share of the oracle's
	wait    float64 // how much later than with the oracle each was let through on average, as a share of the same
	refused float64 // refusals per request
	sent    float64 // of which there were
}

// play plays a scenario once.
func (c scenario) play(seed uint64) figures {
	rnd := rand.New(rand.NewPCG(seed, 11))
	start := origin.Add(time.Duration(rnd.Int64N(int64(40 * time.Second))))
	if c.limit.RPD > 0 {
		start = origin
	}
	shared := c.limit
	shared.Shared = true
	m := simmeter.New([]simmeter.Limit{shared})
	up := &upstream{metered: c.upstream(m, rnd, start)}
	jobs := c.jobs(rnd)
	net := jittery
	if c.far {
		net = far
	}
	fates := map[*job]time.Duration{}
	refusals := 0
	sims := make([]*simulation, c.keys)
	for k := range sims {
		s := newSimulation(seed*10+uint64(k), learning, net, up)
		s.now, s.limiter, s.jobs = start, New(learning, start), map[*Waiter]*job{}
		s.backoff = func(n int) time.Duration { return s.jitter(min(500*time.Millisecond<<min(n, 8), 8*time.Second)) }
		s.chances = true
		s.happens = func(what happening, now time.Time, j *job) {
			switch what {
			case let:
				fates[j] = now.Sub(start)
			case refused:
				refusals++
			}
		}
		sims[k] = s
	}
	for i, j := range jobs {
		s := sims[i%c.keys]
		s.jobs[&j.Waiter] = j
		s.in(j.at, func() { s.enter(j) })
	}
	o := oracle.New(c.limit, start)
	var best, late, last time.Duration
	for _, j := range jobs {
		at := start.Add(j.at)
		if c.limit != (simmeter.Limit{}) {
			at = o.Next(at, c.cost(&j.Waiter))
		}
		best = max(best, at.Sub(start))
		fates[j] = -at.Sub(start) - 1
	}
	oracles := map[*job]time.Duration{}
	for j, at := range fates {
		oracles[j] = -at - 1
	}
	if c.others > 0 {
		step := time.Duration(float64(time.Second) / (c.rate() / (1 - c.others) * c.others))
		for at := time.Duration(0); at < 3*best+time.Minute; at += time.Duration(rnd.ExpFloat64() * float64(step)) {
			sims[0].in(at, func() { m.Take(sims[0].now, "", "", simmeter.Cost{}) })
		}
	}
	if c.halves {
		sims[0].in(best/3, func() {
			half := shared
			half.RPM /= 2
			m.Replace([]simmeter.Limit{half})
		})
	}
	for {
		var next *simulation
		for _, s := range sims {
			if s.events.Len() > 0 && (next == nil || s.events[0].at.Before(next.events[0].at)) {
				next = s
			}
		}
		if next == nil || next.events[0].at.Sub(start) > 20*best+10*time.Minute {
			break
		}
		next.step()
	}
	for _, j := range jobs {
		at := fates[j]
		if at < 0 {
			at = 20*best + 10*time.Minute
		}
		last = max(last, at)
		late += max(0, at-oracles[j])
	}
	n := float64(len(jobs))
	span := max(best, time.Second).Seconds()
	return figures{last.Seconds() / span, late.Seconds() / n / span, float64(refusals) / n, n}
}

// median plays a scenario with several seeds.
func (c scenario) median() figures {
	var times, waits, refused []float64
	for seed := range uint64(measureSeeds) {
		f := c.play(seed + 1)
		times, waits, refused = append(times, f.time), append(waits, f.wait), append(refused, f.refused)
	}
	for _, all := range [][]float64{times, waits, refused} {
		slices.Sort(all)
	}
	return figures{times[measureSeeds/2], waits[measureSeeds/2], refused[measureSeeds/2], 0}
}

// TestMeasure_RealisticUpstreams prints how near the limiter comes to what is permitted.
func TestMeasure_RealisticUpstreams(t *testing.T) {
	if !*measure {
		t.Skip("without -measure")
	}
	for _, c := range scenarios() {
		f := c.median()
		t.Logf("%s | %.3f | %.3f | %.3f", c, f.time, f.wait, f.refused)
	}
}
