package limit

import (
	"math"
	"time"

	"outrigger/policy/limit/headers"
)

// OpenAI says that 60 requests per minute may be enforced as 1 per second
// (help.openai.com/en/articles/5955604), Azure counts requests by the second or by ten
// (learn.microsoft.com, quota management), and others by the minute of the clock. Such
// an upstream gives out windows, of which what is not used expires. Evenly spread, the
// last window takes all of its time; and what one holds less than its size is lost.
const (
	// windowSpread is the time over which a window goes out: all at once would be refused
	// at once, were it not one. Of the long ones it is this part.
	windowSpread     = 200 * time.Millisecond
	windowSpreadPart = 50
	// windowLeast is from how many requests per window on it is worth knowing.
	windowLeast = 4
	// windowTrust is which part of a window must have been let through when one is
	// refused: else there are none. Before a whole one went out it is windowProven.
	windowTrust  = 0.7
	windowProven = 0.9
	// mostOwed is for how many windows at most refusals are paid: an upstream may take
	// fewer off than were refused, and one request finds out.
	mostOwed = 3
	// windowWhole is how much of a window is the whole of it, as far as can be counted, and
	// windowShort how many that end before it show that there are none.
	windowWhole = 0.95
	windowShort = 2
)

// never is before any time of a limiter.
const never = -1 << 62

// fixedWindow is the rhythm of an upstream that gives out a limit in equal windows of time.
// Times are offsets from the limiter's start. The zero value is none.
type fixedWindow struct {
	on     bool
	proven bool          // a whole one was let through
	short  int           // how many ended before they should have
	counts bool          // refusals are taken off the next window
	length time.Duration // of each, 0 while it is not known
	size   int64         // how much the first is expected to hold, while that is not known
	over   time.Duration // over which a window goes out
	phase  time.Duration // when some window begins
	begun  time.Duration // when the one begins that used, base and prior are about
	used   int64         // what went of it
	base   int64         // units that had been admitted before it
	less   int64         // what was taken off it in advance
	prior  int64         // what had been refused in the one before
	owed   int64         // what has been refused since
	slot   time.Duration // nothing goes before
	wrong  time.Duration // they are not believed before
}

// at returns when the window begins that runs at t.
func (s *fixedWindow) at(t time.Duration) time.Duration {
	if s.probing() {
		return s.phase
	}
	since := (t - s.phase) % s.length
	if since < 0 {
		since += s.length
	}
	return t - since
}

// spread is the time over which a window of a length goes out.
func spread(length time.Duration) time.Duration { return max(windowSpread, length/windowSpreadPart) }

// probing reports whether it is not known yet how long windows last.
func (s *fixedWindow) probing() bool { return s.on && s.length == 0 }

// ended takes in that of a window of size so much was let through until something was
// refused, and reports whether there seem to be no windows, or others that use them too.
func (s *fixedWindow) ended(through, size int64) bool {
	whole := min(float64(size-milli), windowWhole*float64(size))
	switch {
	case through+s.less >= size:
		return false
	case !s.counts && s.prior > 0 && float64(through+s.prior) >= whole:
		s.counts = true
		return false
	case float64(through+s.less) >= whole:
		return false
	}
	s.short++
	trust := windowTrust
	if !s.proven {
		trust = windowProven
	}
	return s.short == windowShort || float64(through+s.less) < trust*float64(size)
}

// lost is what a new window lacks of size at t.
func (s *fixedWindow) lost(t time.Duration, size int64) int64 {
	if !s.counts {
		return 0
	}
	return min(s.debt(t, size), size)
}

// debt is what is owed at t: windows of which nothing went have paid for some of it.
func (s *fixedWindow) debt(t time.Duration, size int64) int64 {
	if s.length == 0 {
		return s.owed
	}
	since := s.begun + s.length
	if s.begun == never {
		since = s.phase
	}
	passed := min(int64(max(0, s.at(t)-since)/s.length), mostOwed)
	return max(0, min(s.owed, mostOwed*size)-passed*size)
}

// gone is what has gone, at t, of the window that runs then.
func (s *fixedWindow) gone(t time.Duration, size int64) int64 {
	if s.at(t) != s.begun {
		return s.lost(t, size)
	}
	return s.used
}

// wait returns how long until cost may go of windows of size, 0 for now.
func (s *fixedWindow) wait(t time.Duration, cost, size int64) time.Duration {
	begun, used := s.at(t), s.gone(t, size)
	if used+cost > max(size, cost) && !s.probing() {
		return begun + s.length - t
	}
	return max(0, s.slot-t)
}

// until returns how long until want more has gone of windows of size.
func (s *fixedWindow) until(t time.Duration, want, size int64) time.Duration {
	whole := (max(1, s.gone(t, size)+want) - 1) / size // windows that end before
	return max(0, s.at(t)+time.Duration(min(whole, int64(headers.MaxReset/s.length)))*s.length-t)
}

// take counts what goes at t, when taken units have been admitted before.
func (s *fixedWindow) take(t time.Duration, cost, size, taken int64) {
	if begun := s.at(t); begun != s.begun {
		s.proven = s.proven || s.used >= size && s.owed == 0
		debt := s.debt(t, size)
		s.used = s.lost(t, size)
		s.begun, s.base, s.less, s.prior, s.owed = begun, taken, s.used, s.owed, debt-s.used
		if !s.counts {
			s.owed = 0
		}
	}
	s.used += cost
	s.slot = max(s.slot, s.begun, t-slack) + s.over*time.Duration(cost)/time.Duration(size)
}

// give takes back what was counted and never sent.
func (s *fixedWindow) give(t time.Duration, cost int64) {
	if s.on && s.at(t) == s.begun {
		s.used = max(0, s.used-cost)
	}
}

// left is what has not gone of the window that runs at t.
func (s *fixedWindow) left(t time.Duration, size int64) int64 { return size - s.gone(t, size) }

// share is what may go in one window.
func (b *bucket) share() int64 {
	if b.windows.probing() {
		return b.windows.size
	}
	return max(1, int64(b.speed/pace*b.windows.length.Seconds()+rounding)) * milli
}

const (
	// resetLeast and resetSteps are how far two answers must be apart, in the time until all
	// is there again, to tell how it comes back: far over the jitter of a network, and
	// over the steps in which a reset is written.
	resetLeast = 500 * time.Millisecond
	resetSteps = 8
	// resetShare is how exactly they must fit.
	resetShare = 0.25
)

// resetMode tells a limit that is given out whole when a minute of the clock turns from one
// that comes back all the time: the first one's reset names the same instant whatever is
// used, the other's moves on with each request. One answer cannot tell: in the middle of
// a minute of which half is used the two say the same. Times are offsets from the
// limiter's start. The zero value takes a limit for one that comes back all the time.
type resetMode struct {
	fixed bool
	seen  bool
	at    time.Duration // when the request that told it was sent
	end   time.Duration // when all would be there again
	limit float64
	used  float64
}

// learn takes in what the answer to a request sent at says of a limit for window.
func (u *resetMode) learn(at time.Duration, r headers.Reading, window time.Duration) {
	if r.Remaining < 0 || r.Reset <= 0 || u.seen && at <= u.at {
		return
	}
	now := resetMode{fixed: u.fixed, seen: true, at: at, end: at + r.Reset, limit: r.Limit, used: r.Limit - r.Remaining}
	if !u.seen || !alike(u.limit, r.Limit) {
		*u = now
		return
	}
	moved := (now.end - u.end).Seconds()
	would := (now.at - u.at).Seconds() + (now.used-u.used)/r.Limit*window.Seconds()
	if math.Abs(would) < max(resetLeast, resetSteps*r.Resolution).Seconds() {
		return
	}
	switch near := resetShare * math.Abs(would); {
	case math.Abs(moved) <= near:
		now.fixed = true
	case math.Abs(moved-would) <= near:
		now.fixed = false
	}
	*u = now
}

// begun returns what is left of a minute of the clock that has begun, by the first
// answer out of it, if all went of it that was sent since the last one out of the one
// before. An answer's own remainder is not enough: others may have overtaken it.
func (b *bucket) begun(w *Waiter, r headers.Reading, u unit, taken amounts) float64 {
	last := &b.reading
	if !last.resetMode.fixed || last.end == 0 || w.sent+r.Reset < last.end+resetLeast {
		return 0
	}
	return (r.Limit - b.charge(u, taken.minus(last.mark))) * milli
}

// again returns how long until cost may go. When all has come back one request goes that
// the account does not hold: its answer tells the rest.
func (b *bucket) again(now time.Time, cost int64) time.Duration {
	d := b.until(now, b.need(cost))
	if d == 0 || b.whole.IsZero() {
		return d
	}
	if now.Before(b.whole) {
		return min(d, b.whole.Sub(now))
	}
	b.whole = time.Time{}
	b.set(now, b.need(cost))
	return 0
}
