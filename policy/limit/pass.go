package limit

import (
	"time"
)

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
	l.queue.behind(head, func(c *Waiter) bool {
		if !c.late(now) && head.passedCost+l.price(c, s) <= l.price(head, s) {
			if d := l.wait(now, c); d < bestWait {
				best, bestWait = c, d
			}
		}
		return bestWait > 0
	})
	if best != head && bestWait == 0 {
		head.passed++
		head.passedCost += l.price(best, s)
	}
	return best, bestWait
}

// behind calls f with the next of those who came for the first time, until it returns false: of
// each caller about as many. Nobody passes a head that is more urgent.
func (q *queue) behind(head *Waiter, f func(*Waiter) bool) {
	upTo, callers := head.lane.class.priority.Index()+1, 0
	for _, c := range q.classes[:upTo] {
		if c != nil {
			callers += len(c.lanes)
		}
	}
	left, each := lookahead, max(1, lookahead/callers)
	for _, c := range q.classes[:upTo] {
		if c == nil {
			continue
		}
		for _, ln := range c.lanes[:min(len(c.lanes), left)] {
			w := ln.first
			for n := min(each, left); w != nil && n > 0; n-- {
				if w != head && !f(w) {
					return
				}
				left--
				w = w.next
			}
		}
	}
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
