package proxy

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// TestModel_ATotalOutageIsNotMultiplied plays crowds whose every attempt fails: over any ten seconds
// the upstream gets ten retries and the budget's share of the calls, and no more.
func TestModel_ATotalOutageIsNotMultiplied(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plan := drawModelOutage(rt)
		var broken []string
		synctest.Test(t, func(t *testing.T) { broken = playModel(t, &plan, (*modelRun).budgetKept) })
		if len(broken) > 0 {
			rt.Fatalf("%s\n%v", strings.Join(broken, "\n"), plan)
		}
	})
}

func drawModelOutage(t *rapid.T) modelPlan {
	p := modelPlan{Before: drawModelSettings(t, "before")}
	p.Before.Learn, p.Before.Inflight, p.Before.Failover = false, 0, nil // one upstream, so that a retry is one in its books too
	whats := []modelWhat{modelStatus500, modelStatus502, modelReset}
	for range rapid.IntRange(5, 24).Draw(t, "calls") {
		c := modelCall{
			At:    milliseconds(t, 0, 15_000, "at"),
			Kind:  rapid.SampledFrom([]modelKind{modelChat, modelStream, modelRead}).Draw(t, "kind"),
			Payer: rapid.IntRange(0, 1).Draw(t, "payer"),
		}
		one := modelOutcome{What: rapid.SampledFrom(whats).Draw(t, "what"), After: milliseconds(t, 0, 500, "after")}
		for range 12 {
			c.Meets = append(c.Meets, one)
		}
		p.Calls = append(p.Calls, c)
	}
	return p
}

// budgetKept holds every ten seconds to the budget.
func (r *modelRun) budgetKept() string {
	var retries []time.Duration
	for _, attempts := range r.attempts {
		for n, a := range attempts {
			if n > 0 {
				retries = append(retries, a.Began)
			}
		}
	}
	most := 10 + int(r.Before.Budget*float64(len(r.Calls)))
	for _, from := range retries {
		within := 0
		for _, at := range retries {
			if from <= at && at < from+10*time.Second {
				within++
			}
		}
		if within > most {
			return fmt.Sprintf("BROKEN: the retry budget: %d retries within ten seconds of %v, of %d", within, from, most)
		}
	}
	return ""
}
