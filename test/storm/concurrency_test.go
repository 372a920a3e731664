package storm

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
)

// wordings are refusals of a call too many, as providers write them. None has a
// Retry-After. One names a second in its text, which is no use with calls of ten; the
// bare one does not even say what there is too much of.
var wordings = []string{
	"anthropic/429_concurrent_connections", "zhipu/429_1302_concurrency", "claude-relay/429_concurrency",
	"ollama-cloud/429_concurrent_slot", "generic/429_too_many_requests", "moonshot/429_concurrency",
}

// TestLongCallsMeetFewPlaces has 24 calls of 10 s and 4 places: ideal is 60 s.
func TestLongCallsMeetFewPlaces(t *testing.T) {
	together(t)
	for _, row := range wordings {
		t.Run(row, func(t *testing.T) {
			s := weather{
				name:     "24 calls of 10 s, 4 places",
				upstream: sim.Config{Latency: 10 * time.Second, Concurrency: []sim.Concurrency{{Places: 4, Row: row}}},
				calls:    burst(24, call{}),
			}
			s.ride(t, alone)
			o := s.ride(t, through)
			o.tell(t)
			t.Log("refused:", o.refused())
			least(t, "success in %", o.success(), 100)
			most(t, "seconds until the last answer", o.makespan.Seconds(), 1.1*60)
			most(t, "refusals", float64(o.refused()), 25)
		})
	}
}

// busy keeps that many calls like c going for a time, as workers with a long list of
// tasks do, and returns what became of them. name tells its calls from others'.
func (g *rig) busy(name string, workers int, lasts time.Duration, c call) outcome {
	var mu sync.Mutex
	var o outcome
	start := time.Now()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := 0; time.Since(start) < lasts; i++ {
				mine := c
				mine.at = time.Since(start)
				a := g.client.do(fmt.Sprint(name, "-", w, "-", i), mine)
				mu.Lock()
				o.calls, o.answers = append(o.calls, mine), append(o.answers, a)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	o.makespan = time.Since(start)
	o.hits = g.hits(start)
	return o
}

// served is how many calls the upstream began to serve in [from, to), per second.
func (o outcome) served(from, to time.Duration) float64 {
	n := 0
	for _, h := range o.hits {
		if h.Work && h.at >= from && h.at < to {
			n++
		}
	}
	return float64(n) / (to - from).Seconds()
}

// TestAChangedAllowanceIsFollowedWithinAMinute doubles or halves the places in the
// middle of a run that always has more to do.
func TestAChangedAllowanceIsFollowedWithinAMinute(t *testing.T) {
	together(t)
	const changes, lasts = 2 * time.Minute, 5 * time.Minute
	const each = 2 * time.Second
	plan := func(places int) (sim.Config, func(*sim.Sim, int) error) {
		limit := sim.Concurrency{Places: places, Row: wordings[0]}
		return sim.Config{Latency: each, Concurrency: []sim.Concurrency{limit}}, func(s *sim.Sim, places int) error {
			limit.Places = places
			return s.SetConcurrency(limit)
		}
	}
	server := func(places int) (sim.Config, func(*sim.Sim, int) error) {
		return sim.Config{Latency: each, Capacity: places}, func(s *sim.Sim, places int) error {
			return s.SetCapacity(sim.Capacity{Limit: places})
		}
	}
	tests := []struct {
		name          string
		upstream      func(places int) (sim.Config, func(*sim.Sim, int) error)
		before, after int
	}{
		{"a plan's doubles", plan, 8, 16},
		{"a plan's halves", plan, 16, 8},
		{"a server's doubles", server, 8, 16},
		{"a server's halves", server, 16, 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			upstream, change := tt.upstream(tt.before)
			play(t, upstream, through, func(g *rig) {
				var wg sync.WaitGroup
				wg.Go(func() {
					time.Sleep(changes) // the bubble's clock
					if err := change(g.sim, tt.after); err != nil {
						t.Error(err)
					}
				})
				o := g.busy("task", 40, lasts, call{})
				wg.Wait()
				o.tell(t)
				late := o.between(changes+time.Minute, lasts)
				got := o.served(changes+time.Minute, lasts)
				t.Log(o.line(tt.name, through.name))
				t.Logf("served per second: %.2f before, %.2f a minute after; refused then: %d of %d", o.served(time.Minute, changes), got, late.refused(), len(late.hits))
				least(t, "success in %", o.success(), 100)
				least(t, "served per second before", o.served(time.Minute, changes), 0.9*float64(tt.before)/each.Seconds())
				least(t, "served per second a minute after", got, 0.9*float64(tt.after)/each.Seconds())
				most(t, "refused a minute after, of those that came, in %", 100*float64(late.refused())/float64(len(late.hits)), 5)
			})
		})
	}
}

// TestRandomRefusalsAreNoLimit has 5 % of 503s that come whatever the load is: throughput
// must be what it is without them.
func TestRandomRefusalsAreNoLimit(t *testing.T) {
	together(t)
	const lasts = time.Minute
	rate := map[float64]float64{}
	for _, chance := range []float64{0, 0.05} {
		upstream := sim.Config{Latency: time.Second}
		if chance > 0 {
			upstream.Faults = []fault.Rule{{Kind: fault.KindRow, Row: "openai/503_server_is_overloaded", Probability: chance}}
		}
		play(t, upstream, through, func(g *rig) {
			o := g.busy("task", 64, lasts, call{})
			o.tell(t)
			t.Log(o.line(fmt.Sprint("64 workers, 503 at ", chance), through.name))
			least(t, "success in %", o.success(), 100)
			rate[chance] = o.served(5*time.Second, lasts)
		})
	}
	least(t, "served per second", rate[0.05], 0.95*rate[0])
}

// TestOneRefusalAmongLongStreamsIsNoCollapse has 490 streams of two minutes under way
// when a single call is refused.
func TestOneRefusalAmongLongStreamsIsNoCollapse(t *testing.T) {
	together(t)
	const streams = 490
	long := call{stream: true, tokens: 60, key: "sk-test"}
	upstream := sim.Config{Latency: thought, TokenDelay: 2 * time.Second, Tokens: 60, Faults: []fault.Rule{
		{Kind: fault.KindRow, Row: "openai/503_server_is_overloaded", Start: 30 * time.Second, First: 1},
	}}
	s := weather{name: "one 503 among 490 long streams", upstream: upstream}
	for i := range streams {
		long.at = time.Duration(i) * 20 * time.Millisecond
		s.calls = append(s.calls, long)
	}
	// A chat of one token takes 2 s more than an embedding. It shares endpoint and model
	// with the streams, embeddings only the key.
	s.calls = slices.Concat(s.calls, steady(10, 29*time.Second, time.Minute, call{tokens: 1}),
		steady(10, 29*time.Second, time.Minute, call{tokens: 1, path: embeddingPath}))
	o := s.ride(t, through)
	o.tell(t)
	least(t, "success in %", o.success(), 100)
	beside := o.between(29*time.Second, time.Minute)
	for path, usual := range map[string]time.Duration{chatPath: thought + upstream.TokenDelay, embeddingPath: thought} {
		fresh := beside.of(path)
		t.Log(fresh.line("beside them, "+path, through.name))
		most(t, "seconds of the slowest new call to "+path, fresh.quantile(1).Seconds(), (usual + time.Second).Seconds())
	}
}

// TestEachModelAndEachKeyHasItsOwnPlaces has two models of one key, then two keys, with
// 4 and 12 places: the small one holds up the big one in nothing.
func TestEachModelAndEachKeyHasItsOwnPlaces(t *testing.T) {
	together(t)
	const each = 5 * time.Second
	tests := []struct {
		name       string
		small, big call
		limits     []sim.Concurrency
	}{
		{"models", call{model: "small"}, call{model: "big"}, []sim.Concurrency{{Model: "small", Places: 4, Row: wordings[1]}, {Model: "big", Places: 12, Row: wordings[1]}}},
		{"keys", call{key: "sk-small"}, call{key: "sk-big"}, []sim.Concurrency{{Credential: "sk-small", Places: 4, Row: wordings[0]}, {Credential: "sk-big", Places: 12, Row: wordings[0]}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const n = 48
			s := weather{
				name: "places of two " + tt.name, upstream: sim.Config{Latency: each, Concurrency: tt.limits},
				calls: slices.Concat(burst(n, tt.small), burst(n, tt.big)),
			}
			s.ride(t, alone)
			o := s.ride(t, through)
			o.tell(t)
			t.Log("refused:", o.refused())
			least(t, "success in %", o.success(), 100)
			small, big := time.Duration(0), time.Duration(0)
			for i, a := range o.answers {
				if i < n {
					small = max(small, a.took)
				} else {
					big = max(big, a.took)
				}
			}
			most(t, "seconds for 48 calls at 4 places", small.Seconds(), 1.1*(n/4*each).Seconds())
			most(t, "seconds for 48 calls at 12 places", big.Seconds(), 1.1*(n/12*each).Seconds())
		})
	}
}
