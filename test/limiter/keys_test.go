package limiter

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// steady is calls of one key, so many per second, from when to when.
func steady(key string, perSecond int, from, to time.Duration) []call {
	var calls []call
	for at := from; at < to; at += time.Second / time.Duration(perSecond) {
		calls = append(calls, call{at: at, key: key})
	}
	return calls
}

// p99 is the time that 99 of 100 answers took at most.
func p99(all []answered) float64 {
	took := make([]float64, len(all))
	for i, a := range all {
		took[i] = a.took.Seconds()
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

func TestALimitedKeyGetsItsFullRateAndLeavesOthersAlone(t *testing.T) {
	limited := meter.Limit{Credential: "sk-limited", RPM: 60, Burst: time.Second, CountRefusals: true}
	for _, style := range []sim.Style{sim.OpenAI, sim.NoHeaders} {
		t.Run(string(style), func(t *testing.T) {
			bubble(t, sim.Config{Latency: 50 * time.Millisecond, Style: style, Limits: []meter.Limit{limited}}, near, 0, func(g *rig) {
				alone := g.send("alone ", steady("sk-free", 20, 0, time.Minute))
				free := steady("sk-free", 20, 0, time.Minute)
				both := g.send("both ", append(free, steady("sk-limited", 10, 0, time.Minute)...))
				beside, held := both.answers[:len(free)], both.answers[len(free):]
				ok := 0
				for _, a := range held {
					if a.status == http.StatusOK {
						ok++
					}
				}
				if ok != 600 {
					g.t.Errorf("%d of the limited key's 600 succeeded", ok)
				}
				hold(g.t, "the free key's p99 as a share of its p99 alone", p99(beside)/p99(alone.answers), 1.10)
				hold(g.t, "the seconds that 600 at 1 per second took, as a share of 599", both.makespan.Seconds()/599, 1.05)
				hold(g.t, "refused", float64(len(both.refused)), 20)
			})
		})
	}
}

// TestOnlyThoseWhoCannotBeInTimeAreTurnedAway has callers who all want their answer by
// the same moment, 30 s on. One per second makes 30 of them; one is lost to the refusal
// by which the limit is found, since refusals count, and one to the even pace.
func TestOnlyThoseWhoCannotBeInTimeAreTurnedAway(t *testing.T) {
	limited := meter.Limit{RPM: 60, Burst: time.Second, CountRefusals: true}
	for _, style := range []sim.Style{sim.OpenAI, sim.NoHeaders} {
		t.Run(string(style), func(t *testing.T) {
			bubble(t, sim.Config{Latency: 50 * time.Millisecond, Style: style, Limits: []meter.Limit{limited}}, near, 0, func(g *rig) {
				calls := steady("", 10, 0, 30*time.Second)
				for i := range calls { // up to a second of it is kept for the way back
					calls[i].timeout = strconv.FormatFloat((31*time.Second - calls[i].at).Seconds(), 'f', 3, 64)
				}
				o := g.send("", calls)
				if o.ok < 28 {
					g.t.Errorf("%d of 30 were answered in time", o.ok)
				}
				if asked := len(o.let) + len(o.refused); asked > o.ok+3 {
					g.t.Errorf("the upstream was asked %d times for %d answers", asked, o.ok)
				}
				for i, a := range o.answers {
					if left := 31*time.Second - calls[i].at; a.took > left {
						g.t.Errorf("call %d took %v of %v", i, a.took, left)
					}
				}
			})
		})
	}
}
