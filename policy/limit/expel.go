package limit

import (
	"time"
)

// expelRest is how long Expel rests for each waiter that it looked at, which takes
// about 0.3 µs: with 10,000 in the queue a tenth of a second.
const expelRest = 10 * time.Microsecond

// overtakenRest is how long after one joined before others Expel looks for those whom that makes
// too late: a burst is looked at once.
const overtakenRest = 100 * time.Millisecond

// Expel calls refuse for each waiter whose predicted wait now outlasts its deadline
// or the queue timeout or the limiter's Close, or that is Barred, after taking it out of the queue. Limits fall, waits are
// named, and more urgent requests come, while requests wait: those that cannot be in time any
// more should hear it at once. It looks at the whole queue if anything became slower since it last did, but
// a long queue only now and then: Release tells when. refuse must not call the limiter.
func (l *Limiter) Expel(now time.Time, refuse func(*Waiter, Decision)) {
	now = l.tick(now)
	slowed := l.slowed && !now.Before(l.expel)
	overtaken := !l.overtaken.IsZero() && !now.Before(l.overtaken)
	if !slowed && !overtaken {
		return
	}
	l.slowed, l.overtaken = false, time.Time{}
	l.expel = now.Add(time.Duration(l.queue.length) * expelRest)
	var ahead [units]int64
	l.queue.walk(func(w *Waiter) bool {
		if wait := l.barred(now, w); wait > 0 {
			l.queue.remove(w)
			refuse(w, Decision{Reason: Barred, Wait: wait})
			return false
		}
		wait := l.behind(now, w, &ahead)
		closing := l.closes(now, wait)
		if !closing && !w.outlasts(now, wait) {
			for u := range units {
				ahead[u] += w.cost(u)
			}
			return true
		}
		l.queue.remove(w)
		reason := TooLate
		if closing {
			reason = Closing
		}
		refuse(w, Decision{Reason: reason, Wait: wait})
		return false
	})
}

// overtake notes that w, which has just joined, may delay others. They had been told a wait
// without it.
func (l *Limiter) overtake(now time.Time, w *Waiter) {
	if l.overtaken.IsZero() && l.queue.delays(w) {
		l.overtaken = now.Add(max(overtakenRest, time.Duration(l.queue.length)*expelRest))
	}
}

// Dismiss takes the waiters that are meant out of the queue and calls gone for each, with
// why: what they wait for was found not to come. Neither function may call the limiter.
// Call Release afterwards.
func (l *Limiter) Dismiss(now time.Time, meant func(*Waiter) bool, gone func(*Waiter, Decision)) {
	l.tick(now)
	l.queue.walk(func(w *Waiter) bool {
		if !meant(w) {
			return true
		}
		l.queue.remove(w)
		gone(w, Decision{Reason: Dismissed})
		return false
	})
}
