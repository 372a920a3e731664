package limit

import "time"

// lookahead is how many waiters behind a head that waits for tokens are tried.
const lookahead = 32

// maxPassed is how many smaller ones may go ahead of one head; together they may
// cost no more than it does, so they at most double its wait.
const maxPassed = 8

// wait returns how long until w could go if it were first, 0 for now.
func (l *Limiter) wait(now time.Time, w *Waiter) time.Duration {
	t := now.Sub(l.start)
	wait := max(0, l.gate.Sub(now), l.ramp.wait(t, l.safe()))
	for _, s := range l.active {
		if b := &l.buckets[s]; t-b.tuned >= even {
			b.tune(now, t)
		}
		wait = max(wait, l.buckets[s].wait(now, l.price(w, s)))
	}
	return wait
}

// safe is how many may go at once after idleness.
func (l *Limiter) safe() int { return 0 }

// predict returns how long w would wait at the end of the line: until each bucket
// has refilled for all who wait and for w. It costs the same however long the line.
func (l *Limiter) predict(now time.Time, w *Waiter) time.Duration {
	wait := l.wait(now, w)
	for _, s := range l.active {
		b := &l.buckets[s]
		if l.price(w, s) == 0 {
			continue
		}
		ahead := float64(l.line.cost(s)) * b.factor * milli
		wait = max(wait, b.until(now, ahead+b.need(l.price(w, s))))
	}
	return wait
}

// neverFits reports whether w alone is larger than a limit that is sure.
func (l *Limiter) neverFits(w *Waiter) bool {
	for _, s := range l.active {
		b := &l.buckets[s]
		if b.proven() && float64(l.price(w, s)) > b.limit*milli {
			return true
		}
	}
	return false
}

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
		if c == nil {
			break
		}
		cost := l.price(c, s)
		if c != head && !c.late(now) && head.passedCost+cost <= l.price(head, s) {
			if d := l.wait(now, c); d < bestWait {
				best, bestWait = c, d
			}
			if bestWait == 0 {
				head.passed++
				head.passedCost += cost
				break
			}
		}
		c = c.next
	}
	return best, bestWait
}

// blocked returns the slot that holds the head up, if it is one in which others may
// cost less.
func (l *Limiter) blocked(now time.Time, head *Waiter) (slot, bool) {
	var longest time.Duration
	var which slot
	for _, s := range l.active {
		if d := l.buckets[s].wait(now, l.price(head, s)); d > longest {
			longest, which = d, s
		}
	}
	return which, longest > 0 && which != slotRequests && which != slotRequestsLong
}
