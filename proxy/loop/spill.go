package loop

import (
	"slices"
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
)

// spillAfter is the wait in an upstream's line above which the others' lines are
// looked at: a limiter that paces by the second is no reason to go elsewhere.
const spillAfter = 2 * time.Second

// spill joins the present upstream's line, or that of the first other one where the
// wait is shorter, if failover goes by rate limits. What is in line stays.
func (x *Run) spill() error {
	if !x.mayGoOn(policy.FailoverRateLimited) || x.Place.Queued || x.Place.Admitted() {
		return nil
	}
	now := time.Now()
	if err := x.enter(now); err != nil {
		return err
	}
	if !x.Place.Queued || x.predicted <= spillAfter {
		return nil
	}
	for _, up := range x.Candidates {
		if up == x.Up || slices.Contains(x.spent, up) || up.Gate.Shut() {
			continue
		}
		next, there := x.faceOf(up), &admission.Ticket{}
		if x.tripped(&next, now) {
			continue
		}
		x.takePlace(&next, there, now)
		d := there.Line.Enter(there, now)
		if d.Reason == limit.Admitted || d.Reason == limit.Queued && d.Wait < x.predicted {
			x.move(next, policy.FailoverRateLimited)
			x.Place = there
			return nil
		}
		there.Leave(now)
		there.Free(now)
	}
	return nil
}
