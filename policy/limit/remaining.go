package limit

import (
	"cmp"
	"time"
)

// remainder is what a header says is left until its reset, where it is not known
// how the limit refills. A header may be wrong, so while nothing is left a single
// request passes now and then: its answer tells. The zero value holds nobody back.
type remainder struct {
	left  int64
	until time.Time // zero or past: holds nobody back
	probe time.Time // when the next one may try
	every time.Duration
	first time.Duration // when the first one may, 0 is firstProbe
	moot  time.Time     // until then remainders are not believed
}

// The first try comes after a second, each further one after three times as long. Where
// answers have shown that all comes back when a minute turns, there is less to try.
const (
	firstProbe  = time.Second
	fixedProbe  = 20 * time.Second
	probeGrowth = 3
	mootTime    = 10 * time.Minute
)

// set takes in what a header says is left.
func (r *remainder) set(now time.Time, left int64, until time.Time) {
	if now.Before(r.moot) {
		return
	}
	if left >= milli {
		r.every = 0
	}
	r.left, r.until = left, until
}

// empty reports whether cost is more than what is left.
func (r *remainder) empty(now time.Time, cost int64) bool {
	return cost > r.left && now.Before(r.until)
}

// wait returns how long cost is held back, 0 if it is not.
func (r *remainder) wait(now time.Time, cost int64) time.Duration {
	if !r.empty(now, cost) {
		return 0
	}
	if r.every == 0 {
		r.every = cmp.Or(r.first, firstProbe)
		r.probe = now.Add(r.every)
	}
	return max(0, min(r.until.Sub(now), r.probe.Sub(now)))
}

// take counts what goes.
func (r *remainder) take(now time.Time, cost int64) {
	if r.empty(now, cost) {
		r.every *= probeGrowth
		r.probe = now.Add(r.every)
	}
	r.left -= cost
}

// refute stops believing remainders: something went through that one forbade.
func (r *remainder) refute(now time.Time) {
	*r = remainder{moot: now.Add(mootTime)}
}

// allowance is what RateLimit says may still be sent before a reset (Reading.Quota). Unlike a bucket it
// needs no limit and no window, and it is over with the reset. Where that is far away a single
// request passes after a minute, whose answer tells whether it was right. The zero value holds nobody back.
type allowance struct {
	remainder
	at     time.Duration // when the request whose answer told it was sent
	proven bool          // a refusal proved it instead; see bar
	tried  time.Duration // when the last one that tries was admitted
}

// quotas are what is known to remain. They are there from when something is told, and that is
// before bounded is set.
func (l *Limiter) quotas() *[slots]allowance {
	if l.allowed == nil {
		l.allowed = new([slots]allowance)
	}
	return l.allowed
}

// allow takes in what an accepted answer to w says of s.
func (l *Limiter) allow(now time.Time, w *Waiter, s slot, r Reading) {
	u := s.counts()
	if !r.Quota || r.Remaining < 0 || r.Reset < 0 || r.Remaining > 0 && u != unitRequest {
		return // what a request costs in tokens is a guess
	}
	if r.Window >= longWindow {
		s = s.long()
	}
	a, left := &l.quotas()[s], int64((r.Remaining-float64(l.taken[u]-w.mark[u]))*milli)
	if w.sent < a.at || w.sent == a.at && now.Before(a.until) && a.left <= left {
		return // what it tells is older, or another window of the same answer leaves less
	}
	a.at, a.proven = w.sent, false
	if w.probing && a.empty(now, milli) && r.Remaining == 0 {
		a.refute(now)
		l.counts.IgnoredHeaders++
		return
	}
	if !now.Before(a.until) {
		a.every = 0
	}
	a.first = maxHint
	a.set(now, left, now.Add(r.Reset))
	if a.until.After(l.bounded) {
		l.bounded = a.until
	}
	l.slowed = l.slowed || a.empty(now, milli)
}

// bounds returns how long w is held back behind others of the given cost by what remains, 0 if it is not.
func (l *Limiter) bounds(now time.Time, w *Waiter, ahead *[units]int64) time.Duration {
	if !now.Before(l.bounded) {
		return 0
	}
	wait := time.Duration(0)
	for s := range slots {
		a, cost := &l.allowed[s], l.price(w, s)
		switch {
		case cost == 0 || s == slotSpike:
		case ahead == nil || ahead[s.counts()] == 0:
			wait = max(wait, a.wait(now, cost))
		case a.empty(now, ahead[s.counts()]*milli+cost):
			wait = max(wait, a.until.Sub(now))
		}
	}
	return wait
}

// spend counts what w takes of what remains, and reports whether nothing did.
func (l *Limiter) spend(now time.Time, w *Waiter) bool {
	if !now.Before(l.bounded) {
		return false
	}
	probing := false
	for s := range slots {
		a, cost := &l.allowed[s], l.price(w, s)
		if cost <= 0 || s == slotSpike {
			continue
		}
		tries := a.empty(now, cost)
		a.take(now, cost)
		if tries {
			probing, a.tried = true, now.Sub(l.start)
		}
		if tries && a.proven {
			a.again(now)
		}
	}
	return probing
}

// unspend gives back what one that was admitted and never sent took.
func (l *Limiter) unspend(now time.Time, w *Waiter) {
	if now.Before(l.bounded) {
		for s := range slots {
			l.allowed[s].left += l.price(w, s)
		}
	}
}

// overrule ends what remains once a refusal of a later request names a wait of its own, which counts
// before RateLimit (draft-ietf-httpapi-ratelimit-headers, section 5.1).
func (l *Limiter) overrule(w *Waiter, r Refusal) {
	if r.Hint <= 0 || l.allowed == nil {
		return
	}
	for s := range slots {
		if a := &l.allowed[s]; w.sent >= a.at && !a.proven {
			a.until = time.Time{}
		}
	}
}

// absorbAllowed takes over what of another's is over later.
func (l *Limiter) absorbAllowed(other *Limiter, shift time.Duration) {
	if other.allowed == nil {
		return
	}
	own := l.quotas()
	for s := range slots {
		if o := other.allowed[s]; o.until.After(own[s].until) {
			o.at, o.tried = o.at+shift, o.tried+shift
			own[s] = o
		}
	}
	if other.bounded.After(l.bounded) {
		l.bounded = other.bounded
	}
}

// Where one limiter goes on for several, and all of the limit is told to be left but
// spareLeast, it may be used faster for a moment: what is told next then shows whether
// they share it indeed, and at the usual pace it could not, since that uses no more than
// comes in. It costs no refusal where a bucket that fills as fast is full, too. Where the limit
// is given out in shares it does: the rest of each share is told to be left, and is spent. So
// after a refusal it is not tried again for tightTime.
const (
	spareLeast = 2
	spareSpeed = 1.25
	spareHold  = 300 * time.Millisecond
)

// spareAt takes in an answer that says at t that all is left.
func (b *bucket) spareAt(t time.Duration) {
	if t >= b.noSpare {
		b.spare = t + spareHold
	}
}

// spareRefused takes in a refusal at t of what was admitted while more was used than usual, or
// soon after.
func (b *bucket) spareRefused(t, admitted time.Duration) {
	if b.spare > 0 && admitted < b.spare+spareHold {
		b.spare, b.noSpare = 0, t+tightTime
	}
}

// spared is the speed to use at t instead of the usual one, if there is more to use.
func (b *bucket) spared(t time.Duration, usual float64) float64 {
	if t < b.spare && !b.windows.on {
		return spareSpeed * b.known()
	}
	return usual
}
