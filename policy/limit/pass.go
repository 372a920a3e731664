package limit

import "time"

// lookahead is how many waiters behind a head that waits for tokens are tried.
const lookahead = 32

// maxPassed is how many smaller ones may go ahead of one head; together they may
// cost no more than it does, so they at most double its wait.
const maxPassed = 8

// pass looks for a waiter that may go ahead of a head which waits for tokens or
// images, and returns it with its wait, or the head with its own if that is shorter.
func (l *Limiter) pass(now time.Time, head *Waiter, wait time.Duration) (*Waiter, time.Duration) {
	s, ok := l.blocked(now, head)
	if !ok || head.passed >= maxPassed {
		return head, wait
	}
	best, bestWait := head, wait
	c := l.line.first
	for range lookahead {
		if c == nil || bestWait == 0 {
			break
		}
		if c != head && !c.late(now) && head.passedCost+l.price(c, s) <= l.price(head, s) {
			if d := l.wait(now, c); d < bestWait {
				best, bestWait = c, d
			}
		}
		c = c.next
	}
	if best != head && bestWait == 0 {
		head.passed++
		head.passedCost += l.price(best, s)
	}
	return best, bestWait
}

// blocked returns the slot that holds the head up longest, if others may cost less
// in it.
func (l *Limiter) blocked(now time.Time, head *Waiter) (slot, bool) {
	var longest time.Duration
	var which slot
	for _, s := range l.active {
		if d := l.bucket(s).wait(now, now.Sub(l.start), l.price(head, s)); d > longest {
			longest, which = d, s
		}
	}
	return which, longest > 0 && which.counts() != unitRequest
}
