package limit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	simmeter "outrigger/internal/sim/meter"
	"outrigger/internal/sim/oracle"
)

// TestTheOraclesScheduleIsTheEarliestThatTheUpstreamAccepts plays random loads' best
// schedule to the simulator's meter: all of it is accepted, and no request that the
// oracle makes wait is accepted a millisecond sooner.
func TestTheOraclesScheduleIsTheEarliestThatTheUpstreamAccepts(t *testing.T) {
	forSeeds(t, time.Second, func(seed uint64) error {
		c := drawCase(seed, "", "")
		c.limit.CountRefusals = false
		r := rand.New(rand.NewPCG(seed, 2))
		o, m, probe := oracle.New(c.limit, c.start), simmeter.New([]simmeter.Limit{c.limit}), r.IntN(len(c.jobs))
		sent := c.start
		for i, j := range c.jobs {
			at := o.Next(c.start.Add(j.at), costOf(&j.Waiter, c.scale))
			early := at.Add(-time.Millisecond)
			if i == probe && early.After(sent) && early.After(c.start.Add(j.at)) {
				if m.Take(early, "", "", costOf(&j.Waiter, c.scale)).Admitted {
					return fmt.Errorf("%v: request %d could have gone at %v, the oracle says %v", c, i, early.Sub(c.start), at.Sub(c.start))
				}
			}
			sent = at
			if c.limit.Enforce == "" {
				sent = at.Add(time.Microsecond) // the meter and the oracle round what flows in differently
			}
			if !m.Take(sent, "", "", costOf(&j.Waiter, c.scale)).Admitted {
				return fmt.Errorf("%v: request %d is refused at %v, when the oracle sends it", c, i, at.Sub(c.start))
			}
		}
		return nil
	})
}
