package storm

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"outrigger/internal/demo"
	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
	"outrigger/proxy/settings"
)

// lines is a log that keeps what the lines about requests say, by message: numbers and texts by
// their names.
type lines struct {
	mu  sync.Mutex
	all map[string][]map[string]slog.Value
}

// Enabled implements slog.Handler.
func (*lines) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// WithAttrs implements slog.Handler.
func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *lines) WithGroup(string) slog.Handler { return l }

// Handle implements slog.Handler.
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	line := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool {
		line[a.Key] = a.Value
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[string][]map[string]slog.Value{}
	}
	l.all[r.Message] = append(l.all[r.Message], line)
	return nil
}

// figures are what enforce mode did, or would have done, with the requests of a storm.
type figures struct{ paced, waited, retries, refused, prevented float64 }

// count counts one request.
func (f *figures) count(queue, breaker float64, attempts int64, source string) {
	if queue >= 1 { // ms
		f.paced++
	}
	if queue >= 1 || breaker >= 1 {
		f.waited++
	}
	f.retries += float64(max(attempts-1, 0))
	if attempts == 0 && source != "upstream" {
		f.refused++
	}
}

// enforced counts what the log tells of requests.
func (f *figures) enforced(g *rig) {
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	for _, l := range g.log.all["request"] {
		f.count(number(l["queue_ms"]), number(l["breaker_ms"]), l["attempts"].Int64(), l["source"].String())
	}
}

// foreseen counts what the log tells of requests that would have fared otherwise, once it is
// known of all.
func (f *figures) foreseen(g *rig, requests int) {
	for range 1000 { // the bubble's clock
		if g.proxy.Recent().Totals().Requests >= int64(requests) {
			break
		}
		time.Sleep(time.Second)
	}
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	for _, l := range g.log.all["observed"] {
		source := "local"
		if l["would_attempts"].Int64() > 0 {
			source = "upstream"
		}
		f.count(number(l["would_queue_ms"]), number(l["would_breaker_ms"]), l["would_attempts"].Int64(), source)
		if l["failure_prevented"].Bool() {
			f.prevented++
		}
		if l["failure_caused"].Bool() {
			f.prevented--
		}
	}
}

func number(v slog.Value) float64 {
	if v.Kind() != slog.KindFloat64 {
		return 0
	}
	return v.Float64()
}

// failed is how many calls got no good answer.
func (o outcome) failed() float64 {
	return math.Round(float64(len(o.answers)) * (100 - o.success()) / 100)
}

// firstFailed is how many calls did not get it at once.
func (o outcome) firstFailed() float64 {
	n := 0.0
	for _, a := range o.answers {
		if !a.ok || a.tries > 1 {
			n++
		}
	}
	return n
}

// observed is w in observe mode.
func observed(w way) way {
	before := w.config
	w.name, w.config = "observed", func(c *settings.Config) {
		if before != nil {
			before(c)
		}
		c.Mode = settings.ModeObserve
	}
	return w
}

// observedStorm is a storm in which observe mode is compared with a bare proxy and with enforce mode.
type observedStorm struct {
	weather
	way way
	// ordered says that the upstream answers alike whatever the order in which calls at one moment
	// come: then the same answers are compared, else how many there are.
	ordered bool
	// repeats is the share of calls by which two runs differ, since the transport of either proxy
	// repeats reads by itself when it loses a kept connection.
	repeats float64
	// byChance says that each attempt fails or not by chance: two runs of one mode then differ too,
	// by the square root of what is counted.
	byChance bool
	// unmet says for a figure that is not within the bounds why it is not.
	unmet map[string]string
}

// Why figures are not met.
const (
	chance429 = "a 429 that comes by chance is taken for a limit, and pacing for its cure"
	again     = "enforce mode is refused again while it learns a limit, and its shadows are not"
	probes    = "probes for one place more are few, and meet a place that is just free, or not"
	ramp      = "waits of single milliseconds after an outage: enforce mode itself has half or twice as many from run to run"
)

func observedStorms() []observedStorm {
	broken := sim.Config{Latency: thought, Faults: []fault.Rule{{Kind: fault.KindStatus, Status: 500, Path: embeddingPath, Probability: 1}}}
	bounded := through
	bounded.config = func(c *settings.Config) { c.Timeouts.Attempt = 2 * time.Second }
	flaps := func(r fault.Rule) sim.Config {
		r.Unread, r.Stop, r.Period = true, 2*time.Second, 5*time.Second
		return sim.Config{Latency: 20 * time.Millisecond, Faults: []fault.Rule{r}}
	}
	quick := sim.Config{Latency: 20 * time.Millisecond}
	crowd := steady(50, 0, 20*time.Second, call{})
	const before, spike, after = 3 * time.Minute, 3 * time.Second, 4 * time.Minute
	sdk := way{name: "the SDK", model: officialSDK}
	day, house := demo.Scenes()[0].Upstream, demo.Scenes()[1].Upstream
	return []observedStorm{
		{weather: weather{name: "demo: a bad day", upstream: day, calls: slices.Concat(burst(200, call{}), burst(60, call{model: "gpt-4o", stream: true}), burst(40, call{path: filePath}))}, way: sdk, unmet: map[string]string{"retries": again}},
		{weather: weather{name: "demo: a full house", upstream: house, calls: burst(200, call{})}, way: sdk, unmet: map[string]string{"retries": probes}},
		{weather: weather{name: "A. 500 at 0.5", upstream: failing(0.5), calls: steady(20, 0, 15*time.Second, call{}), seeds: 2}, way: through, ordered: true, byChance: true},
		{weather: weather{name: "B. 500 at 0.3", upstream: failing(0.3), calls: steady(20, 0, 15*time.Second, call{}), seeds: runs}, way: through, ordered: true, byChance: true},
		{weather: weather{name: "C. 20 places, 150/s", upstream: sim.Config{Latency: 205 * time.Millisecond, Capacity: 20}, calls: steady(150, 0, 10*time.Second, call{})}, way: through},
		{weather: weather{name: "D. 8 places, 200 at once", upstream: sim.Config{Latency: time.Second, Capacity: 8}, calls: burst(200, call{})}, way: through, unmet: map[string]string{"retries": probes}},
		{weather: weather{name: "E. embeddings broken", upstream: broken, calls: slices.Concat(steady(20, 0, 15*time.Second, call{}), steady(20, 0, 15*time.Second, call{path: embeddingPath}))}, way: through, ordered: true},
		{weather: weather{name: "F. creates and reads", upstream: sim.Config{Latency: thought, Faults: mixedFaults()}, calls: slices.Concat(steady(10, 0, 15*time.Second, call{path: filePath}), steady(10, 0, 15*time.Second, call{path: listPath})), seeds: 2}, way: through, repeats: 0.05, unmet: map[string]string{"retries": chance429, "paced": chance429, "waited": chance429, "prevented": chance429}},
		{weather: weather{name: "G. error event first", upstream: sim.Config{Latency: thought, Faults: []fault.Rule{{Kind: fault.KindErrorEvent, Probability: 0.2}}}, calls: steady(20, 0, 15*time.Second, call{stream: true}), seeds: runs}, way: through, ordered: true, byChance: true},
		{weather: weather{
			name: "H. told to slow down", upstream: sim.Config{Latency: thought, Limits: []meter.Limit{{RPM: 30 * 60, Burst: time.Second, Row: "openai/429_slow_down", Shared: true}}},
			calls: slices.Concat(steady(15, 0, before, call{}), steady(80, before, before+spike, call{}), steady(15, before+spike, before+spike+after, call{})),
		}, way: through, ordered: true},
		{weather: weather{name: "5 s away: 503", upstream: quick, calls: crowd, during: away(sim.OutageStatus)}, way: through, ordered: true, unmet: map[string]string{"paced": ramp}},
		{weather: weather{name: "5 s away: hanging", upstream: quick, calls: crowd, during: away(sim.OutageHang)}, way: bounded, ordered: true, unmet: map[string]string{"paced": ramp, "waited": ramp}},
		{weather: weather{name: "5 s away: refused", upstream: quick, calls: crowd, during: away(sim.OutageRefuse)}, way: through, ordered: true, unmet: map[string]string{"paced": ramp}},
		{weather: weather{name: "5 s away: reset", upstream: quick, calls: crowd, during: away(sim.OutageReset)}, way: through, ordered: true, unmet: map[string]string{"paced": ramp}},
		{weather: weather{name: "down 2 s of 5: 503", upstream: flaps(fault.Rule{Kind: fault.KindStatus, Status: 503}), calls: steady(50, 0, 30*time.Second, call{})}, way: through, ordered: true},
		{weather: weather{name: "down 2 s of 5: reset", upstream: flaps(fault.Rule{Kind: fault.KindReset}), calls: steady(50, 0, 30*time.Second, call{})}, way: through, ordered: true},
		{weather: weather{name: "4 places, 24 long calls", upstream: sim.Config{Latency: 10 * time.Second, Concurrency: []sim.Concurrency{{Places: 4, Row: wordings[0]}}}, calls: burst(24, call{})}, way: through, unmet: map[string]string{"retries": probes}},
		{weather: weather{
			name: "overload feeds on itself", upstream: sim.Config{Latency: 205 * time.Millisecond, Capacity: 20, RefusalCost: 0.1},
			calls: slices.Concat(steady(150, 0, 15*time.Second, call{}), steady(20, 15*time.Second, 30*time.Second, call{})),
		}, way: through},
		{weather: weather{name: "quota exhausted", upstream: sim.Config{Latency: thought, Faults: []fault.Rule{{Kind: fault.KindRow, Row: "openai/429_credit_balance_exhausted"}}}, calls: steady(20, 0, 15*time.Second, call{})}, way: through, ordered: true},
		{weather: weather{name: "60/min, hasty callers", upstream: sim.Config{Latency: thought, Limits: []meter.Limit{{RPM: 60, Burst: time.Second}}}, calls: steady(5, 0, 30*time.Second, call{timeout: 10 * time.Second})}, way: through},
	}
}

// TestObserveModeForeseesEnforceMode plays each storm through a bare proxy, in observe mode, and in
// enforce mode. Observe mode must give callers and upstream what the bare proxy gives them. What it
// says that enforce mode would do must be within 10 % of what that does, or within 2 % of the
// requests where a figure is small, or within what chance makes of it.
//
// Compared are the requests that were paced (1 ms or more in a queue), that waited (there, or at a
// breaker), the retries, the requests that were refused without a call, and the failures
// prevented: calls that failed, or failed at first where clients retry, through the bare
// proxy, less those that failed in enforce mode.
func TestObserveModeForeseesEnforceMode(t *testing.T) {
	together(t)
	for _, s := range observedStorms() {
		t.Run(s.name, func(t *testing.T) {
			together(t)
			did, would := figures{}, figures{}
			s.after = func(g *rig) { did.enforced(g) }
			enforced := s.quietly(t, s.way)
			s.after = func(g *rig) { would.foreseen(g, len(g.log.all["request"])) }
			seen := s.quietly(t, observed(s.way))
			s.after = nil
			bare := s.way
			bare.bare = true
			straight := s.quietly(t, bare)
			did.prevented = straight.firstFailed() - enforced.failed()
			t.Logf("%-26s %5d calls: upstream %d bare, %d observed; good %.0f, %.0f", s.name, len(s.calls), len(straight.hits), len(seen.hits), straight.success(), seen.success())
			s.compare(t, did, would, len(seen.answers))
			if differ := math.Abs(float64(len(seen.hits) - len(straight.hits))); differ > s.repeats*float64(len(straight.hits)) {
				t.Errorf("%d calls reached the upstream through a bare proxy, %d in observe mode", len(straight.hits), len(seen.hits))
			}
			if differ := math.Abs(seen.success() - straight.success()); differ > 1+100*s.repeats {
				t.Errorf("%.1f %% are good through a bare proxy, %.1f %% in observe mode", straight.success(), seen.success())
			}
			for i := range seen.answers {
				if got, want := seen.answers[i], straight.answers[i]; s.ordered && (got.status != want.status || got.body != want.body) {
					t.Fatalf("call %d got %d %.200s, through a bare proxy %d %.200s", i, got.status, got.body, want.status, want.body)
				}
			}
		})
	}
}

// compare fails the test where a figure is out of bounds, and no reason is given for that.
func (s observedStorm) compare(t *testing.T, did, would figures, requests int) {
	t.Helper()
	line := ""
	for _, f := range []struct {
		name       string
		did, would float64
	}{
		{"paced", did.paced, would.paced},
		{"waited", did.waited, would.waited},
		{"retries", did.retries, would.retries},
		{"refused", did.refused, would.refused},
		{"prevented", did.prevented, would.prevented},
	} {
		line += fmt.Sprintf("  %s %.0f, foreseen %.0f", f.name, f.did, f.would)
		off := math.Abs(f.did - f.would)
		allowed := max(0.1*f.did, 0.02*float64(requests))
		if s.byChance {
			allowed = max(allowed, 3*math.Sqrt(f.did+f.would)) // three standard deviations of a difference
		}
		if off <= allowed {
			continue
		}
		if why := s.unmet[f.name]; why != "" {
			line += " (" + why + ")"
			continue
		}
		t.Errorf("%s: %s is %.0f, and %.0f was foreseen", s.name, f.name, f.did, f.would)
	}
	t.Log(s.name + ":" + line)
}
