package limit

import (
	"cmp"
	"fmt"
	"testing"
	"time"
)

// TestWhateverComesEverybodyGetsTheirTurn plays random loads against random upstreams.
func TestWhateverComesEverybodyGetsTheirTurn(t *testing.T) {
	forSeeds(t, 3*time.Second, func(seed uint64) error {
		p := drawCase(seed, "", "").play()
		if err := cmp.Or(p.gotThrough(), p.inTime(), p.inOrder(), p.kept()); err != nil {
			return fmt.Errorf("%v\n%w", p, err)
		}
		return nil
	})
}

// TestABudgetThatIsToldIsNeverExceeded has headers tell of a minute's budget that is
// enforced as one: once they have, no more is refused than the few whose way took
// longer than that of the ones before, at the end of the budget.
func TestABudgetThatIsToldIsNeverExceeded(t *testing.T) {
	forSeeds(t, time.Second, func(seed uint64) error {
		p := drawCase(seed, byMinute, tellsAll).play()
		most := 5
		if p.counts != byRequests {
			most += 10 + len(p.fates)/10 // what was on its way when the first answers told
		}
		if p.late > most {
			return fmt.Errorf("%v\n%d refused after %v, want at most %d", p, p.late, p.told, most)
		}
		return nil
	})
}

// TestALoadThatFitsIsNotHeldUp has a steady load of a third to two thirds of the limit.
// Where a minute's worth may be used at once nobody waits and nothing is refused, unless
// chance fills a minute: requests of very different sizes do that now and then. Where it
// is enforced over shorter times chance alone exceeds it more often.
func TestALoadThatFitsIsNotHeldUp(t *testing.T) {
	held := map[enforcing]*sample{byBucket: {}, bySeconds: {}, byTens: {}, byMinute: {}, byClock: {}}
	forSeeds(t, 3*time.Second, func(seed uint64) error {
		p := drawCalm(seed).play()
		share := p.held(time.Second / 2)
		if (p.enforce == byMinute || p.enforce == byClock) && (share > 0 || p.result.refused > 0) && p.fits(0.8) {
			return fmt.Errorf("%v\n%.3f of the requests were held up, and %d refused, want none", p, share, p.result.refused)
		}
		if p.says.headers() {
			held[p.enforce].add(share)
		}
		return nil
	})
	for e, most := range map[enforcing]float64{byBucket: 0.03, bySeconds: 0.06, byTens: 0.02} {
		held[e].hold(t, fmt.Sprintf("%s: share of the requests that were held up", e), most)
	}
}

// TestAConfiguredLimitIsKept configures the limits of upstreams that tell nothing. What
// they enforce by shares of time arrives as evenly as it was sent only if the way is short.
func TestAConfiguredLimitIsKept(t *testing.T) {
	forSeeds(t, time.Second, func(seed uint64) error {
		p := drawConfigured(seed).play()
		if err := cmp.Or(p.gotThrough(), p.inTime(), p.inOrder()); err != nil || p.counts != byRequests {
			return err
		}
		short := p.network == "near" || p.network == "jittery"
		if shares := p.enforce == bySeconds || p.enforce == byTens; p.result.refused > 0 && (short || !shares) {
			return fmt.Errorf("%v\n%d refused, want none", p, p.result.refused)
		}
		if p.load.leave == 0 && p.load.patient == 1 {
			return p.even() // who leaves gives back what another uses later
		}
		return nil
	})
}
