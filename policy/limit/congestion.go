package limit

import (
	"time"
)

const (
	// leastTry is the least time for which silence about a single request is awaited.
	leastTry = 10 * time.Millisecond
	// slowLatency is how long refusals take when estimates grow half as fast: more
	// of what is sent too fast is on its way when the first refusal comes.
	slowLatency = 200 * time.Millisecond
	// proofLeast is what refusals leave at least of a limit that is proven: at an
	// even pace they come from jitter, or from others who share the limit.
	proofLeast = 0.9
	// knownCut is what a refusal leaves at least of a known limit's rate that does not
	// prove another: it is no proof either that others use some of it.
	knownCut = 0.97
	// spareTime is how much later than a proven wait the next one may go at most;
	// else one request's worth later.
	spareTime = 100 * time.Millisecond
	// tightTime is how long no burst over a second's share is tried after one was
	// refused.
	tightTime = 10 * time.Minute
)

// first reports whether w's refusal begins a congestion event: what was admitted before the
// last one was acted on belongs to that.
func (l *Limiter) first(w *Waiter, b *bucket) bool {
	return b.estimate.n == 0 || w.admitted >= b.estimate.acted
}

// congestion takes the refusal of w into a slot's estimate, and returns how long to
// wait before the next try. hint is the wait that was asked for.
func (l *Limiter) congestion(now time.Time, w *Waiter, s slot, hint time.Duration) time.Duration {
	b, u, t := l.bucket(s), s.counts(), now.Sub(l.start)
	e := &b.estimate
	l.measure(s)
	b.spareRefused(t, w.admitted)
	// Whether refusals count against the limit is not told: half of them do.
	accepted := w.mark[u] - l.refused[u]/2
	if u == unitRequest {
		accepted -= l.doubts.free
	}
	e.slow = l.latency.Seconds()/slowLatency.Seconds() + b.windows.length.Seconds()
	e.miss(w.mark[u] - w.cost(u))
	e.refused(t, w.sent, accepted, w.mark[u])
	e.acted, e.taken = t, l.taken[u]
	e.begun = inFlight{w.sent, hint, w.mark[u], l.refused[u]}
	gap := backoff(seconds(e.unit/e.rate), e.misses)
	switch {
	case e.n == 0 && b.known() == 0:
		gap = max(gap, firstGap, l.latency*4)
	case e.misses > 0:
		gap = max(gap, l.latency*5/4)
	}
	e.mark((w.sent+t+max(gap, hint))/2, accepted, w.mark[u])
	e.from = t + max(gap, hint)
	b.tune(now, t)
	return gap
}

// prove takes in a text that proves its limit. Its wait then tells the level, so
// that w fits when it ends, and others at their own cost.
func (l *Limiter) prove(now time.Time, w *Waiter, s slot, r Refusal, window time.Duration) {
	b := l.bucket(s)
	if b.ceiling == 0 || r.Limit/window.Seconds() < b.ceiling {
		if b.source != SourceHeader || !alike(b.limit, r.Limit) || b.window != window {
			l.limits(now, s, r.Limit, window, SourceText)
		}
		b.sure = true
	}
	cost := l.price(w, s)
	b.size = max(b.size, min(cost, int64(b.limit*milli)))
	b.resize(now)
	// A little later than the wait says, so that nobody is a moment early.
	spare := min(b.estimate.unit, b.known()*spareTime.Seconds())
	level := float64(cost) - (r.Hint.Seconds()*b.known()+spare)*milli
	if l.counted(w, s, b) {
		level -= float64(cost)
	}
	if !l.first(w, b) {
		b.lower(now, level)
		return
	}
	least := b.known()
	if s.counts() == unitRequest && b.estimate.n > 0 && !l.burst(now, b) && b.estimate.speed(w.sent) <= least {
		least *= proofLeast
	}
	l.congestion(now, w, s, r.Hint)
	if crowded := l.crowded(now, w, s); !crowded {
		b.estimate.reset(min(max(b.estimate.rate, least), b.known()), b.estimate.from)
		b.estimate.firm = b.estimate.rate == b.known()
	}
	b.tune(now, now.Sub(l.start))
	b.set(now, level)
	b.reserve = 0
	if l.ramp.On && !l.ramp.Probe {
		l.ramp.Stop()
	}
}

// crowded reports whether others seem to use a slot's limit too, and if so cuts an
// estimate that the refusal of w left as it was.
func (l *Limiter) crowded(now time.Time, w *Waiter, s slot) bool {
	b, u := l.bucket(s), s.counts()
	e := &b.estimate
	if e.crowd == 0 && !e.crowded(now.Sub(l.start), w.mark[u], b.known()) {
		return false
	}
	if e.misses > 0 {
		e.rate *= mostCut
	}
	rate, from := e.rate, e.from
	e.reset(min(max(rate, b.known()/mostCrowd), b.known()), from)
	e.crowd = b.known()
	return true
}

// counted reports whether the refusal of w is charged to the limit on requests, which
// the wait that it names leaves out. It is so where one that waited for as long as it
// was told to, with nothing else sent, is refused again.
func (l *Limiter) counted(w *Waiter, s slot, b *bucket) bool {
	if s.counts() != unitRequest {
		return false
	}
	alone := b.estimate.n > 0 && w.mark[unitRequest]-1 <= b.estimate.taken
	b.counted = b.counted || alone && l.first(w, b)
	return b.counted
}

// burst reports whether there should have been plenty when something was refused: it
// is not the limit then, but how much of it may be used at once.
func (l *Limiter) burst(now time.Time, b *bucket) bool {
	return b.wide && b.window < longWindow && b.level(now) > 2*b.known()*milli
}

// slowRefill is how long one request's share of a told limit must take to come in for the
// refused one to go as soon as its wait ends. Of a limit of 3 per minute whose refusal says "try
// again after 2 seconds" that share comes 20 s after that, and a client alone would go at 2 s.
// Faster limits lose nothing by it, and hints are not exact.
const slowRefill = 2 * time.Second

// guess takes in a refusal that proves nothing.
func (l *Limiter) guess(now time.Time, w *Waiter, s slot, r Refusal) {
	b := l.bucket(s)
	told := l.believe(now, s, r)
	if !b.active {
		b.estimate.reset(l.firstGuess(now, w, s), now.Sub(l.start))
		b.estimate.doubling = b.estimate.rate < coldQuota*l.mean(s)
		b.source = SourceRefusals
		b.ahead = share(b.estimate.rate) / 4
		l.open(now, s, 0)
	}
	if b.windows.on {
		b.windows.owed += milli
	}
	if !l.first(w, b) {
		if rate := l.inFlightRate(w, s, r.Hint); rate > 0 && rate < b.estimate.rate {
			b.estimate.rate = rate
			b.tune(now, now.Sub(l.start))
		}
		l.hold(now, r.Hint)
		b.empty(now, now.Add(r.Hint))
		return
	}
	burst := l.burst(now, b)
	if s == slotRequests && l.lease == nil { // of several processes each sees a part of a window
		l.detectWindow(now, w, b, r, burst)
	}
	rate := b.estimate.rate
	cost := l.price(w, s)
	large := cost > max(b.size, b.burst) && b.known() > 0
	gap := l.congestion(now, w, s, r.Hint)
	switch {
	case r.Hint > 0 && l.crowded(now, w, s):
		b.tune(now, now.Sub(l.start))
		gap = 0 // the others do not wait for longer either
	case burst || large || told || b.windows.on || b.source == SourceConfigured:
		b.estimate.reset(rate, b.estimate.from)
		b.estimate.firm = told
		b.tune(now, now.Sub(l.start))
	case b.known() > 0:
		b.estimate.rate = max(b.estimate.rate, rate*knownCut)
	}
	if b.size < cost {
		b.size = min(cost, int64(max(b.limit, b.estimate.rate*60)*milli))
		b.resize(now)
	}
	if burst {
		l.tight = now.Sub(l.start) + tightTime
		b.wide = false
		b.resize(now)
	}
	b.empty(now, now.Add(r.Hint))
	slow := told && r.Hint > 0 && float64(cost) > b.speed*slowRefill.Seconds()*milli
	if (b.estimate.crowd > 0 || b.constants() || slow) && !b.windows.on { // one goes when the wait ends: the others do, too
		b.dry = time.Time{}
		b.set(now, float64(cost)-r.Hint.Seconds()*b.speed*milli)
	}
	if slow {
		gap = 0
	}
	l.hold(now, max(gap, r.Hint))
	l.ramp.Try(max(leastTry, l.latency*5/4))
}

// believe takes in the limit that a text tells without proof, if it can be true, and
// reports whether it tells one.
func (l *Limiter) believe(now time.Time, s slot, r Refusal) bool {
	b := l.bucket(s)
	if r.Limit == 0 {
		return false
	}
	if b.active && alike(b.limit, r.Limit) && b.window == r.Window {
		return true
	}
	window := r.plain()
	if window == 0 || l.refuted(now, s, r.Limit, window) || b.source == SourceHeader || b.source == SourceConfigured {
		l.counts.IgnoredTexts++
		return false
	}
	l.limits(now, s, r.Limit, window, SourceText)
	b.sure = false
	return true
}

// refuted reports whether far more has just been let through than a limit allows,
// even if one window ended meanwhile. Tokens are estimates: of them ten times as many.
func (l *Limiter) refuted(now time.Time, s slot, limit float64, window time.Duration) bool {
	passed := float64(l.recent.Passed(now.Sub(l.start), int(s.counts())))
	if s.counts() == unitToken {
		passed /= 10
	}
	return window >= recentTime && passed > 2*limit+1
}

// firstGuess is the rate that was let through just before w was sent: limits are
// mostly given out by the second, or a second's worth at once. It is at least one
// request per second.
func (l *Limiter) firstGuess(now time.Time, w *Waiter, s slot) float64 {
	u, t := s.counts(), now.Sub(l.start)
	over := min(max(time.Second, 3*l.ramp.Step), 2*time.Second)
	sent := l.recent.Sum(t, int(u), over+t-w.sent) - (l.sent[u] - w.mark[u]) - w.cost(u)
	return max(l.mean(s), l.scale(s)*float64(sent)/over.Seconds())
}
