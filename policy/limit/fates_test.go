package limit

import (
	"fmt"
	"time"
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
		deadline := f.job.Deadline.Sub(p.start)
		for n, at := range f.admits {
			switch {
			case !f.job.Deadline.IsZero() && at >= deadline:
				return fmt.Errorf("request %d is admitted at %v, its deadline was %v", i, at, deadline)
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
	if f.admitted >= 0 {
		return f.admitted
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

// stays counts how often a job may have come to the end of a stay in line between from and to.
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
