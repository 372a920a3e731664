package limit

import "time"

// longSlots are those of limits by the hour or day.
var longSlots = [...]slot{slotRequestsLong, slotTokensLong}

// lasts reports whether a refusal shows that a limit by the hour or day is used up for as long as it says: by its arithmetic,
// or because it names the limit, its window and a wait within that ("Rate limit of 50 per 86400s exceeded … Please wait
// 66552 seconds", GitHub Models). Numbers that do not fit the wait show nothing.
func (r Refusal) lasts() bool {
	if r.Used > 0 {
		return r.proof() >= longWindow
	}
	return r.Limit > 0 && !r.tooLarge() && r.Window >= longWindow && r.Hint <= r.Window
}

// bar takes in the refusal of w for s: who needs more than is left is told at once from now on, until it is there, but for
// one a minute, whose answer tells whether that still holds. It reports whether that is so.
func (l *Limiter) bar(now time.Time, w *Waiter, s slot, r Refusal) bool {
	if l.set.Longest <= 0 || r.Hint <= l.set.Longest || !r.lasts() {
		return false
	}
	a := &l.quotas()[s.long()]
	if now.Before(a.moot) {
		return false
	}
	if w.sent < a.at {
		return a.proven
	}
	left := 0.0
	if s.counts() == unitToken && r.Used > 0 && r.Requested > 0 {
		left = max(0, r.Limit-r.Used) / r.Requested * float64(l.price(w, s.long())) // in what is charged here
	}
	a.at, a.proven = w.sent, true
	a.set(now, int64(left), now.Add(r.Hint))
	a.again(now)
	if a.until.After(l.bounded) {
		l.bounded = a.until
	}
	l.slowed = true
	return true
}

// again lets one try after a minute.
func (a *allowance) again(now time.Time) { a.every, a.probe = maxHint, now.Add(maxHint) }

// barred returns for how long what w needs is known not to be there, if that is longer than anybody waits. Whose turn it is to
// try is not barred, and finds room.
func (l *Limiter) barred(now time.Time, w *Waiter) time.Duration {
	if l.set.Longest <= 0 || !now.Before(l.bounded) {
		return 0
	}
	longest := time.Duration(0)
	for _, s := range longSlots {
		a, cost := &l.allowed[s], l.price(w, s)
		if left := a.until.Sub(now); a.proven && left > l.set.Longest && a.wait(now, cost) > 0 {
			longest = max(longest, left)
		}
	}
	return longest
}

// room lets one that is to try through the account that the same refusal emptied.
func (l *Limiter) room(now time.Time, w *Waiter) {
	if !now.Before(l.bounded) {
		return
	}
	for _, s := range longSlots {
		a, b, cost := &l.allowed[s], l.at(s), l.price(w, s)
		if a.proven && b.active && a.empty(now, cost) && a.wait(now, cost) == 0 {
			b.set(now, max(b.level(now), b.need(cost)))
		}
	}
}

// disprove takes in that w was accepted: if it was one that tried, what barred the others is over, and so is what
// was learned with it.
func (l *Limiter) disprove(now time.Time, w *Waiter) {
	if l.allowed == nil {
		return
	}
	for _, s := range longSlots {
		a := &l.allowed[s]
		if !a.proven || !w.probing || w.admitted != a.tried || w.sent <= a.at {
			continue
		}
		*a = allowance{at: w.sent}
		a.refute(now)
		if b := l.at(s); b.active && b.source == SourceText {
			l.drop(s)
		}
	}
}
