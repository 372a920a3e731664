package limit

import (
	"fmt"
	"time"

	"outrigger/internal/sim/oracle"
)

// What must hold of every case, whatever the upstream tells and however it enforces.

// gotThrough: everything that has time is let through.
func (p *played) gotThrough() error {
	for i, f := range p.fates {
		if f.job.leaves == 0 && f.let < 0 {
			return fmt.Errorf("request %d, which has time, was never let through: %+v", i, *f)
		}
	}
	return nil
}

// inTime: nothing is admitted at or after its deadline, or when its caller is gone, and
// nothing twice that was let through.
func (p *played) inTime() error {
	for i, f := range p.fates {
		for n, at := range f.admits {
			switch {
			case f.due > 0 && at >= f.due:
				return fmt.Errorf("request %d is admitted at %v, its deadline was %v", i, at, f.due)
			case f.over >= 0 && at > f.over:
				return fmt.Errorf("request %d is admitted at %v, it was over at %v", i, at, f.over)
			case n > f.refused:
				return fmt.Errorf("request %d is admitted %d times and refused %d times", i, len(f.admits), f.refused)
			}
		}
	}
	return nil
}

// end is when a job's first wait was over, one way or the other.
func (f *fate) end() time.Duration {
	switch {
	case f.admitted >= 0:
		return f.admitted
	case f.due > 0:
		return min(f.due, f.over)
	}
	return f.over
}

// inOrder: nobody is overtaken by a later one that costs the same. Each of those at the
// head lets maxPassed others by at most, so nobody is overtaken more often than that for
// each stay of an earlier one, and for its own.
func (p *played) inOrder() error {
	for i, f := range p.fates {
		if f.end() == f.job.at {
			continue
		}
		overtook, stays := 0, 1
		for k, other := range p.fates {
			if k < i {
				stays += other.stays(f.job.at, f.end())
				continue
			}
			if k == i || other.admitted < 0 || other.admitted >= f.end() {
				continue
			}
			if p.alike(f, other) {
				return fmt.Errorf("request %d came at %v and waited until %v; request %d came at %v, costs the same, and went at %v",
					i, f.job.at, f.end(), k, other.job.at, other.admitted)
			}
			overtook++
		}
		if most := stays * maxPassed; overtook > most {
			return fmt.Errorf("request %d was overtaken %d times from %v to %v, at most %d can be right", i, overtook, f.job.at, f.end(), most)
		}
	}
	return nil
}

// stays counts how often a job may have come to the end of a stay in the queue between from and to.
func (f *fate) stays(from, to time.Duration) int {
	n := 0
	for _, at := range f.admits {
		if at >= from && at <= to {
			n++
		}
	}
	if f.over >= from && f.over <= to {
		n++
	}
	return n
}

// alike reports whether two jobs cost the same of what the case's limits count.
func (p *played) alike(a, b *fate) bool {
	return p.counts == byRequests || a.job.Tokens == b.job.Tokens
}

// kept: from when answers have told the limit on requests, no stretch of time holds more
// admissions than it and what comes in meanwhile. Of a minute of the clock it may be
// twice as much, half of it before the minute turns.
func (p *played) kept() error {
	if p.limit.RPM == 0 || p.told == 0 || p.enforce == byClock {
		return nil
	}
	full, rate := float64(p.limit.RPM), float64(p.limit.RPM)/60
	over, last := 0.0, p.told
	for _, at := range p.sent {
		if at < p.told {
			continue
		}
		over = max(0, over-rate*(at-last).Seconds()) + 1
		last = at
		if over > full+1 {
			return fmt.Errorf("at %v %.1f requests over the rate had gone, %v per minute was told at %v", at, over, p.limit.RPM, p.told)
		}
	}
	return nil
}

// even: of a configured limit no second holds more than its share.
func (p *played) even() error {
	share := max(1, p.limit.RPM/60)
	for i, at := range p.sent {
		if first := i - share; first >= 0 && at-p.sent[first] < time.Second {
			return fmt.Errorf("%d requests went from %v to %v, want at most %d in a second", share+1, p.sent[first], at, share)
		}
	}
	return nil
}

// fits reports whether a share of the limits lets all of the load through as it comes.
func (c *randomCase) fits(share float64) bool {
	limit := c.limit
	limit.RPM, limit.TPM = int(share*float64(limit.RPM)), int(share*float64(limit.TPM))
	o := oracle.New(limit, c.start)
	for _, j := range c.jobs {
		at := c.start.Add(j.at)
		if o.Next(at, costOf(&j.Waiter, c.scale)).After(at) {
			return false
		}
	}
	return true
}

// held is which share of those that came after the first third waited longer than the
// oracle made them, by more than the way and patience.
func (p *played) held(patience time.Duration) float64 {
	n, held := 0.0, 0.0
	for _, f := range p.fates[len(p.fates)/3:] {
		if f.let < 0 {
			continue
		}
		n++
		if f.let-f.best > patience+3*ways[p.network].rtt {
			held++
		}
	}
	return held / max(1, n)
}
