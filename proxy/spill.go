package proxy

import (
	"slices"
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
)

// spillAfter is the wait in an upstream's line above which the others' lines are
// looked at: a limiter that paces by the second is no reason to go elsewhere.
const spillAfter = 2 * time.Second

// spill joins the present upstream's line, or that of the first other one where the
// wait is shorter, if failover goes by rate limits. What is in line stays.
func (x *Run) spill() error {
	if !x.mayGoOn(policy.FailoverRateLimited) || x.place.queued || x.place.admitted() {
		return nil
	}
	now := time.Now()
	if err := x.enter(now); err != nil {
		return err
	}
	if !x.place.queued || x.predicted <= spillAfter {
		return nil
	}
	for _, up := range x.candidates {
		if up == x.up || slices.Contains(x.spent, up) || up.gate.shut() {
			continue
		}
		next, there := x.faceOf(up), &place{}
		if x.tripped(&next, now) {
			continue
		}
		x.takePlace(&next, there, now)
		d := there.line.enter(there, now)
		if d.Reason == limit.Admitted || d.Reason == limit.Queued && d.Wait < x.predicted {
			x.move(next, policy.FailoverRateLimited)
			x.place = there
			return nil
		}
		there.leave(now)
		there.free(now)
	}
	return nil
}
