package storm

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

// mixedFaults cut 40 % of the calls, half of them after the work; 10 % draw a 429 and
// 10 % a 503. Each probability is of what the rules before it have left.
func mixedFaults() []fault.Rule {
	return []fault.Rule{
		{Kind: fault.KindReset, After: true, Probability: 0.2},
		{Kind: fault.KindReset, Probability: 0.2 / 0.8},
		{Kind: fault.KindStatus, Status: http.StatusTooManyRequests, Probability: 0.1 / 0.6},
		{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable, Probability: 0.1 / 0.5},
	}
}

// TestStormF_WhatMayBeRepeatedSucceedsAndNothingIsDoneTwice mixes creates, which may not
// be repeated once a connection was lost, with reads, which may.
func TestStormF_WhatMayBeRepeatedSucceedsAndNothingIsDoneTwice(t *testing.T) {
	together(t)
	s := weather{
		name: "F. creates and reads, cut and refused", upstream: sim.Config{Latency: thought, Faults: mixedFaults()},
		calls: slices.Concat(steady(10, 0, 15*time.Second, call{path: filePath}), steady(10, 0, 15*time.Second, call{path: listPath})),
		seeds: 5 * runs, // chance moves a fifth of them by 0.4 % and more
	}
	o := s.ride(t, alone)
	t.Log(o.repeatable().line("F. those that may be repeated", alone.name), "; done twice:", o.twice)
	o = s.ride(t, through)
	may := o.repeatable()
	t.Log(may.line("F. those that may be repeated", through.name), "; done twice:", o.twice)
	may.tell(t)
	least(t, "success of what may be repeated in %", may.success(), 99)
	most(t, "creates done twice", float64(o.twice), 0)
}

// repeatable drops the creates whose last attempt was cut: whether they were carried
// out, nobody but the upstream knows.
func (o outcome) repeatable() outcome {
	part := outcome{twice: o.twice, makespan: o.makespan, hits: o.hits}
	for i, a := range o.answers {
		if a.ok || o.calls[i].path != filePath || (a.status != 0 && a.status != http.StatusFailedDependency) {
			part.calls, part.answers = append(part.calls, o.calls[i]), append(part.answers, a)
		}
	}
	return part
}

func TestStormG_AFifthOfTheStreamsBeginsWithAnError(t *testing.T) {
	together(t)
	s := weather{
		name:     "G. error event first in 20 % of streams",
		upstream: sim.Config{Latency: thought, Faults: []fault.Rule{{Kind: fault.KindErrorEvent, Probability: 0.2}}},
		calls:    steady(20, 0, 15*time.Second, call{stream: true}),
	}
	s.ride(t, alone)
	o := s.ride(t, through)
	o.tell(t)
	least(t, "success in %", o.success(), 100)
}

// TestStormH_ASpikeThatIsToldToSlowDownDrains has 15 calls per second, a spike of 80 for
// 3 s, and 15 again. The upstream says Slow Down to what is over 30 per second.
func TestStormH_ASpikeThatIsToldToSlowDownDrains(t *testing.T) {
	together(t)
	const before, spike, after = 3 * time.Minute, 3 * time.Second, 4 * time.Minute
	s := weather{
		name:     "H. spike of 80/s over 15/s",
		upstream: sim.Config{Latency: thought, Limits: []meter.Limit{{RPM: 30 * 60, Burst: time.Second, Row: "openai/429_slow_down", Shared: true}}},
		calls: slices.Concat(steady(15, 0, before, call{}), steady(80, before, before+spike, call{}),
			steady(15, before+spike, before+spike+after, call{})),
	}
	o := s.ride(t, alone)
	t.Log(o.between(before, before+spike).line("H. the spike", alone.name))
	o = s.ride(t, through)
	o.tell(t)
	calm := o.between(time.Minute, before)
	drained := o.between(before+spike+2*time.Minute, before+spike+3*time.Minute)
	t.Log(o.between(before, before+spike).line("H. the spike", through.name))
	t.Log(calm.line("H. before the spike", through.name))
	t.Log(drained.line("H. in the third minute after it", through.name))
	least(t, "success in %", o.success(), 100)
	most(t, "p50 in seconds in the third minute after the spike", drained.quantile(0.5).Seconds(), 1.1*calm.quantile(0.5).Seconds())
	hold := o.between(before+spike+10*time.Second, before+spike+2*time.Minute)
	most(t, "calls per second that reach the upstream while it is to be spared", float64(len(hold.hits))/110, 1.5*15)
}
