package limit

import (
	"cmp"
	"fmt"
	"testing"
	"time"
)

// TestTheDaysLimitAtMidnight has requests come from shortly before the midnight that
// brings all of a day's limit back until after it. Before it they wait, or are
// turned away once they were told twice to wait for long; soon after it they go.
func TestTheDaysLimitAtMidnight(t *testing.T) {
	all := &sample{}
	forSeeds(t, time.Second, func(seed uint64) error {
		p := drawDay(seed).play()
		late, turned, n := 0.0, 0, 0.0
		for i, f := range p.fates {
			if f.job.leaves > 0 {
				continue
			}
			if f.let < 0 && !f.turned {
				return fmt.Errorf("%v\nrequest %d, which has time, was never let through nor turned away: %+v", p, i, *f)
			}
			n++
			if f.turned {
				turned++
			} else if f.let-f.best > 12*time.Minute {
				late++
			}
		}
		share := late / max(1, n)
		if p.says.headers() {
			all.add(share)
		}
		if share > 0.6 || turned > len(p.fates)/2 || p.result.refused > 2*len(p.fates)+100 && p.says != tellsNothing {
			return fmt.Errorf("%v\n%.2f of the requests went over 12 minutes after they could have, %d were turned away and %d refused",
				p, share, turned, p.result.refused)
		}
		return cmp.Or(p.inTime(), p.inOrder())
	})
	all.hold(t, "where headers tell: share of the requests that went over 12 minutes late", 0.012)
}
