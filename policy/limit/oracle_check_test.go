package limit

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	simmeter "outrigger/internal/sim/meter"
)

// TestTheOraclesScheduleIsTheEarliestThatTheUpstreamAccepts plays random loads' best
// schedule to the simulator's meter: all of it is accepted, and no request that the
// oracle makes wait is accepted a millisecond sooner.
func TestTheOraclesScheduleIsTheEarliestThatTheUpstreamAccepts(t *testing.T) {
	forSeeds(t, time.Second, func(seed uint64) error {
		c := drawCase(seed, "", "")
		c.limit.CountRefusals = false
		r := rand.New(rand.NewPCG(seed, 2))
		o, m, probe := c.oracle(), simmeter.New([]simmeter.Limit{c.limit}), r.IntN(len(c.jobs))
		sent := c.start
		for i, j := range c.jobs {
			at := o.next(c.start.Add(j.at), c.real(&j.Waiter))
			early := at.Add(-time.Millisecond)
			if i == probe && early.After(sent) && early.After(c.start.Add(j.at)) {
				if m.Take(early, "", "", costOf(&j.Waiter, c.scale)).Admitted {
					return fmt.Errorf("%v: request %d could have gone at %v, the oracle says %v", c, i, early.Sub(c.start), at.Sub(c.start))
				}
			}
			sent = at.Add(time.Microsecond) // the meter and the oracle round differently
			if !m.Take(sent, "", "", costOf(&j.Waiter, c.scale)).Admitted {
				return fmt.Errorf("%v: request %d is refused at %v, when the oracle sends it", c, i, at.Sub(c.start))
			}
		}
		return nil
	})
}

// TestNoOtherScheduleOfEqualsBeatsTheOracle compares with other orders, and with others
// that wait now and then although they need not.
func TestNoOtherScheduleOfEqualsBeatsTheOracle(t *testing.T) {
	forSeeds(t, time.Second/2, func(seed uint64) error {
		r := rand.New(rand.NewPCG(seed, 3))
		account := allowance{unit: unitToken, rate: pick(r, 0.5, 1, 3), size: float64(1 + r.IntN(5)), step: pick(r, 0, time.Second, 10*time.Second)}
		account.anew = r.IntN(2) == 0
		arrivals := make([]time.Duration, 1+r.IntN(8))
		for i := range arrivals {
			arrivals[i] = time.Duration(r.Int64N(int64(10 * time.Second)))
		}
		w := &Waiter{Tokens: 1 + r.IntN(6)}
		makespan := func(dawdle float64) time.Time {
			o, last := newOracle(origin, account, allowance{unit: unitRequest, rate: 1, size: 2}), origin
			for _, a := range arrivals {
				last = o.next(origin.Add(a+time.Duration(r.Float64()*dawdle*float64(time.Second))), w)
			}
			return last
		}
		slices.SortFunc(arrivals, cmp.Compare)
		best := makespan(0)
		for range 20 {
			r.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
			if got := makespan(float64(r.IntN(2))); best.Sub(got) > time.Microsecond { // rounding
				return fmt.Errorf("%+v, %d tokens at %v: all done by %v, before the oracle's %v", account, w.Tokens, arrivals, got.Sub(origin), best.Sub(origin))
			}
		}
		return nil
	})
}
