package storm

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
	"outrigger/test/chance"
)

// weather is one storm: an upstream and what is asked of it.
type weather struct {
	name     string
	upstream sim.Config
	calls    []call
	seeds    int          // how often it is played, 0 is once; the runs count together
	during   func(g *rig) // runs from the start of the calls; nil is nothing
	after    func(g *rig) // runs after the last answer; nil is nothing
}

// outcome is what became of one or more runs of a storm.
type outcome struct {
	calls    []call
	answers  []answer // in the order of the calls
	hits     []hit    // what reached the upstream
	twice    int      // client requests whose work was done more than once
	makespan time.Duration
}

// hit is a call as the upstream saw it.
type hit struct {
	ledger.Entry
	at time.Duration // after the load's start
}

// ride plays the storm in one way, and logs its line.
func (s weather) ride(t *testing.T, w way) outcome {
	t.Helper()
	o := s.quietly(t, w)
	t.Log(o.line(s.name, w.name))
	return o
}

// quietly plays the storm in one way.
func (s weather) quietly(t *testing.T, w way) outcome {
	t.Helper()
	var o outcome
	for seed := range chance.Seeds(t, max(1, s.seeds)) {
		upstream := s.upstream
		upstream.Seed += seed - 1
		play(t, upstream, w, func(g *rig) {
			if s.during != nil {
				var wg sync.WaitGroup
				defer wg.Wait()
				wg.Go(func() { s.during(g) })
			}
			o = o.and(g.send(s.calls))
			if s.after != nil {
				s.after(g)
			}
		})
	}
	return o
}

// send makes all calls, each at its time, and waits for their answers.
func (g *rig) send(calls []call) outcome {
	o := outcome{calls: calls, answers: make([]answer, len(calls))}
	start := time.Now()
	var wg sync.WaitGroup
	for i, c := range calls {
		wg.Go(func() {
			time.Sleep(c.at - time.Since(start)) // the bubble's clock
			o.answers[i] = g.client.do("call-"+strconv.Itoa(i), c)
		})
	}
	wg.Wait()
	o.makespan = time.Since(start)
	o.hits = g.hits(start)
	o.twice = len(g.sim.Duplicates())
	return o
}

// hits are the calls that reached the upstream, in their order.
func (g *rig) hits(start time.Time) []hit {
	var all []hit
	for _, e := range g.sim.Ledger().Entries(ledger.Filter{}) {
		all = append(all, hit{e, e.Time.Sub(start)})
	}
	slices.SortFunc(all, func(a, b hit) int { return int(a.ID) - int(b.ID) })
	return all
}

// and counts two runs together.
func (o outcome) and(more outcome) outcome {
	return outcome{
		calls: slices.Concat(o.calls, more.calls), answers: slices.Concat(o.answers, more.answers),
		hits: slices.Concat(o.hits, more.hits), twice: o.twice + more.twice, makespan: max(o.makespan, more.makespan),
	}
}

// of keeps the calls that are chosen, and what reached the upstream on their path.
func (o outcome) of(path string) outcome {
	part := outcome{twice: o.twice}
	for i, c := range o.calls {
		if c.path == path || (c.path == "" && path == chatPath) {
			part.calls, part.answers = append(part.calls, c), append(part.answers, o.answers[i])
			part.makespan = max(part.makespan, c.at+o.answers[i].took)
		}
	}
	for _, h := range o.hits {
		if h.Path == path {
			part.hits = append(part.hits, h)
		}
	}
	return part
}

// between keeps the calls made in [from, to). Hits are those that came in that time.
func (o outcome) between(from, to time.Duration) outcome {
	part := outcome{}
	for i, c := range o.calls {
		if c.at >= from && c.at < to {
			part.calls, part.answers = append(part.calls, c), append(part.answers, o.answers[i])
			part.makespan = max(part.makespan, c.at+o.answers[i].took)
		}
	}
	for _, h := range o.hits {
		if h.at >= from && h.at < to {
			part.hits = append(part.hits, h)
		}
	}
	return part
}

// success is the share of calls that got their answer, in percent.
func (o outcome) success() float64 {
	n := 0
	for _, a := range o.answers {
		if a.ok {
			n++
		}
	}
	return 100 * float64(n) / float64(len(o.answers))
}

// perRequest is how many calls the upstream got for each.
func (o outcome) perRequest() float64 { return float64(len(o.hits)) / float64(len(o.answers)) }

// refused is how many calls the upstream turned away because it had no place.
func (o outcome) refused() int {
	n := 0
	for _, h := range o.hits {
		if h.Fault == "capacity" || h.Fault == "concurrency" {
			n++
		}
	}
	return n
}

// quantile is the time within which that share of the successful calls was answered.
func (o outcome) quantile(share float64) time.Duration {
	var took []time.Duration
	for _, a := range o.answers {
		if a.ok {
			took = append(took, a.took)
		}
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[min(len(took)-1, int(share*float64(len(took))))]
}

func (o outcome) line(storm, way string) string {
	return fmt.Sprintf("%-34s %-19s %6.1f %% ok, %5.2f calls per request, %6.1f s, p50 %6.2f s, p99 %6.2f s",
		storm, way, o.success(), o.perRequest(), o.makespan.Seconds(), o.quantile(0.5).Seconds(), o.quantile(0.99).Seconds())
}

// burst is n calls like c at once.
func burst(n int, c call) []call { return slices.Repeat([]call{c}, n) }

// steady is rate calls per second like c, from one time to another.
func steady(rate int, from, to time.Duration, c call) []call {
	var all []call
	for i := 0; ; i++ {
		c.at = from + time.Duration(i)*time.Second/time.Duration(rate)
		if c.at >= to {
			return all
		}
		all = append(all, c)
	}
}

// least fails the test where got is under want.
func least(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got < want {
		t.Errorf("%s is %.2f, want at least %.2f", what, got, want)
	}
}

// most fails the test where got is over want.
func most(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got > want {
		t.Errorf("%s is %.2f, want at most %.2f", what, got, want)
	}
}

// tell logs the first failures, for whoever wants to know why.
func (o outcome) tell(t *testing.T) {
	t.Helper()
	told := 0
	for i, a := range o.answers {
		if !a.ok && told < 3 {
			told++
			t.Logf("call %d at %v: %d after %v: %.200s", i, a.at, a.status, a.took, a.body)
		}
	}
}
