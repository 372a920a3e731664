package limit

import (
	"math"
	"slices"
	"time"

	"outrigger/policy/limit/counts"
)

// mark is a moment at which the upstream had nothing left.
type mark struct {
	at       time.Duration
	accepted int64 // units accepted by then
	sent     int64 // and sent
}

// mark records that the upstream refused at t, sent units after the start, of which it
// accepted some.
func (e *estimate) mark(t time.Duration, accepted, sent int64) {
	e.marks[e.n%len(e.marks)] = mark{t, accepted, sent}
	e.n++
}

// measured is the rate that was accepted up to t from an earlier moment when
// nothing was left either, 0 if there is none that is far enough away. Of the near
// ones it takes the most: windows that are given out by the second make the rest too
// small. With none near, it takes the latest. The second result is the most that can
// be true, even if the time holds one window less than it seems and refusals count.
func (e *estimate) measured(t time.Duration, accepted, all int64) (float64, float64) {
	least := max(measureTime.Seconds(), measureCount*e.unit/e.rate)
	near := e.near()
	best, older, olderAt := 0.0, 0.0, time.Duration(-1)
	most := math.Inf(1)
	for _, m := range e.marks[:min(e.n, len(e.marks))] {
		span := (t - m.at).Seconds()
		if span < least {
			continue
		}
		n := e.counted(max(0, accepted-m.accepted))
		if span >= 1.5 {
			most = min(most, (n+2*e.unit)/(span-1))
		}
		r := n / span
		if span <= near {
			best = max(best, r)
			most = min(most, (e.counted(all-m.sent)+e.unit)/shareCount(span))
		} else if m.at > olderAt {
			older, olderAt = r, m.at
		}
	}
	if best > 0 {
		return best, most
	}
	return older, most
}

const (
	// inFlightLeast requests must have gone since the first refusal, in inFlightTime, for what became
	// of them to mean anything.
	inFlightLeast = 8
	inFlightTime  = 100 * time.Millisecond
	// inFlightThrough of them must have been let through: from the end of a window on none is.
	inFlightThrough = 3
	// hintGrowth is how much longer a wait must be than the first one to show that each
	// refusal makes it longer: a whole second is a matter of rounding. If what is waited
	// for comes whole seconds later, give or take jitterTime, it is another window.
	hintGrowth = 100 * time.Millisecond
	jitterTime = 10 * time.Millisecond
)

// inFlight is the first refusal of a congestion event. What was under way then shows the rate of an
// upstream that has nothing left. The zero value is none.
type inFlight struct {
	sent    time.Duration
	hint    time.Duration // the wait that it named
	mark    int64         // units sent, its own included
	refused int64         // units refused, its own included
}

// inFlightRate is the rate that the refusal of w shows, which belongs to the first congestion event of
// all, 0 if none. A first guess may be a burst that the upstream had saved up.
func (l *Limiter) inFlightRate(w *Waiter, s slot, hint time.Duration) float64 {
	b, u := l.bucket(s), s.counts()
	e := &b.estimate
	sent, refused := w.mark[u]-e.begun.mark, l.refused[u]-e.begun.refused
	span := w.sent - e.begun.sent
	if e.n != 1 || b.known() > 0 || span < inFlightTime || e.counted(sent) < inFlightLeast*e.unit {
		return 0
	}
	// What was sent before w and refused has come back before, or nearly.
	through := e.counted(sent - refused)
	longer := hint - e.begun.hint
	switch {
	case through >= inFlightThrough*e.unit:
		return (through + e.unit) / span.Seconds()
	case longer >= hintGrowth && longer%time.Second != 0 && (longer+span+jitterTime)%time.Second > 2*jitterTime:
		return e.counted(sent) / (longer + span).Seconds() // each is charged, and so waited for
	}
	return 0
}

// windowLengths are how long windows last.
var windowLengths = [...]time.Duration{time.Second, 10 * time.Second, time.Minute}

const (
	// windowFit is how far off the size of a window it may be what was let through of it.
	windowFit = 0.25
	// windowProof is how many requests' time a wait must be over what refusals may have
	// used up, to come from the end of a window and not from the rate.
	windowProof = 1
	// windowTry is how long refusals may take for windows to be tried after a burst was
	// refused with a wait that is too short to tell: little is on its way then when
	// the refusal comes.
	windowTry = 50 * time.Millisecond
)

// detectWindow takes in a refusal of w that begins a congestion event, with the wait it named. A
// wait that is longer than the rate explains tells when the next window begins, and one
// that ends a burst may; a refusal amid a window tells that there are none.
func (l *Limiter) detectWindow(now time.Time, w *Waiter, b *bucket, r Refusal, burst bool) {
	s, t, hint := &b.windows, now.Sub(l.start), r.Hint
	if s.on {
		if w.admitted >= s.begun && !l.confirms(t, w, b, hint) {
			b.noWindows(now, t)
		}
		return
	}
	rate := b.known()
	if b.window > time.Minute || t < s.wrong {
		return
	}
	if rate <= 0 {
		l.probeWindow(t, w, b, hint)
		return
	}
	lost := l.recent.Lost(t, counts.Requests)
	long := hint.Seconds() > float64(lost+windowProof)/rate
	if !long && (!burst || hint <= 0 || l.latency > windowTry) {
		return
	}
	length := l.windowLength(w, t, hint, b)
	if length == 0 || r.resets() && length > time.Second && length != b.window || rate*length.Seconds() < windowLeast {
		return
	}
	*s = fixedWindow{on: true, length: length, over: spread(length), phase: t + hint, begun: never, owed: lost * milli}
}

// confirms reports whether the refusal of w amid a window may be that of its end.
func (l *Limiter) confirms(t time.Duration, w *Waiter, b *bucket, hint time.Duration) bool {
	s := &b.windows
	through := (w.mark[unitRequest] - 1 - s.base) * milli
	if s.probing() {
		return l.probedWindow(t, w, b, through, hint)
	}
	if s.ended(through, b.share()) {
		return false
	}
	if b.known() == 0 {
		size := max(float64(through+s.less), windowWhole*float64(b.share()))
		b.estimate.reset(size/milli/s.length.Seconds(), t)
	}
	return true
}

// windowLength returns how long a window lasts that ends hint after t: of those that can
// be, the shortest that gives out what was let through of it before w was refused. 0 is
// none.
func (l *Limiter) windowLength(w *Waiter, t, hint time.Duration, b *bucket) time.Duration {
	for _, length := range windowLengths {
		if length < hint || b.ceiling > 0 && length > time.Second {
			continue
		}
		size := b.known() * length.Seconds()
		let := float64(l.passed(w, t+hint-length))
		// Of a second too little is known to ask for more than that not too much went.
		if let <= (1+windowFit)*size && (let >= (1-windowFit)*size || length == time.Second) {
			return length
		}
	}
	return 0
}

// noWindows ends belief in windows for a while.
func (b *bucket) noWindows(now time.Time, t time.Duration) {
	b.windows = fixedWindow{wrong: t + tightTime}
	b.dry = time.Time{}
	b.set(now, 0)
}

// Where no limit is known, the first wait that a refusal names may be that for a rate, or
// for the next window. So once it is over, as much is sent as had been let through, and
// more until something is refused: of windows that tells how long one lasts and how much
// it holds.
const (
	// probeHint is how long a wait must be to be worth a trial: shorter ones are a rate's.
	probeHint = 100 * time.Millisecond
	// probeBack is how far back what was let through counts as one burst.
	probeBack = 10 * time.Second
	// probePart is which part of what had been let through of the window before must be so
	// again. Where waits are rounded up it is less, since that may be one of two windows.
	probePart        = 0.7
	probePartRounded = 0.4
	// probeLeast is how many that must be: fewer say nothing.
	probeLeast = 10
	// probeSpread is how many times longer than a refusal takes a window goes out, so that
	// little is on its way when the first one comes.
	probeSpread = 4
)

// probeWindow begins to look for windows with the refusal of w at t.
func (l *Limiter) probeWindow(t time.Duration, w *Waiter, b *bucket, hint time.Duration) {
	size := l.passed(w, max(0, t-probeBack))
	if hint < probeHint || size < probeLeast || l.latency > windowTry && hint%time.Second == 0 {
		return // a wait that is rounded up is too little to send much for that is refused late
	}
	over := max(windowSpread, probeSpread*l.latency)
	b.windows = fixedWindow{on: true, size: size * milli, over: over, phase: t + hint, begun: never, owed: l.recent.Lost(t, counts.Requests) * milli}
}

// probedWindow ends a trial with the refusal of w, which was sent when through had been let
// through of the window. It reports whether there are windows: the one before it must have
// been about as large.
func (l *Limiter) probedWindow(t time.Duration, w *Waiter, b *bucket, through int64, hint time.Duration) bool {
	s, part := &b.windows, probePart
	length := max(time.Second, (t + hint - s.begun).Round(time.Second))
	from := s.phase - length - l.latency
	if hint%time.Second == 0 { // rounded up, as the one before was
		length = max(time.Second, (w.sent + hint - s.begun).Truncate(time.Second))
		from, part = s.phase-length-l.latency-time.Second, probePartRounded
	}
	before := int64(l.history.Since(from)-l.history.Since(s.phase)) * milli
	size := through
	if all := through + s.prior; s.prior > 0 && all <= before && float64(all) >= windowWhole*float64(before) {
		s.counts, size = true, all
	}
	if hint == 0 || size < probeLeast || float64(size) < part*float64(before) || !slices.Contains(windowLengths[:], length) {
		return false
	}
	s.length, s.over = length, spread(length)
	b.estimate.reset(float64(size)/milli/length.Seconds(), t)
	return true
}

// passed is what was let through from a time on until w was sent.
func (l *Limiter) passed(w *Waiter, from time.Duration) int64 {
	return int64(l.history.Since(from)) - (l.sent[unitRequest] - w.mark[unitRequest])
}
