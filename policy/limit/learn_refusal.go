package limit

import (
	"math"
	"time"
)

// Refusal is what a 429 or its like told. The zero value is a bare refusal.
type Refusal struct {
	// Hint is the wait that the answer names, 0 when it names none.
	Hint time.Duration
	// HintFalse says that Hint is known not to help.
	HintFalse bool
	// Dimension is what the text says ran out: "requests", "tokens", "input_tokens",
	// "output_tokens", "images"; "" or anything else is unknown.
	Dimension string
	// Limit, Used and Requested are the text's numbers, 0 when not told.
	Limit, Used, Requested float64
	// Window is the time Limit is for, 0 when not told.
	Window time.Duration
	// SlowDown says that the rate rose too fast, not that a limit was reached.
	SlowDown bool
	// Capacity says that the provider ran short, whatever the caller's limits.
	Capacity bool
	// Headers are the rate-limit headers of the refusal.
	Headers Headers
}

// maxHint is the longest wait that is believed without proof of a limit by the day.
const maxHint = 60 * time.Second

// tightTime is how long no burst over a second's share is tried after one was refused.
const tightTime = 10 * time.Minute

// Refused tells that the upstream refused w. It holds the line as long as the
// answer asks, and puts w back in at its old place: Queued. If the wait would outlast
// its deadline it says TooLate instead, and NeverFits if it can never be admitted.
func (l *Limiter) Refused(now time.Time, w *Waiter, r Refusal) Decision {
	now = l.tick(now)
	l.Sent(now, w)
	l.line.remove(w)
	w.state = stateIdle
	for s := range slots {
		l.refused[s] += w.cost(s)
	}
	if d := now.Sub(l.start) - w.sent; d > 0 {
		l.latency = max(d, l.latency*7/8)
	}
	l.learnHeaders(now, w, r.Headers)
	l.learnRefusal(now, w, r)
	if l.neverFits(w) {
		return Decision{Reason: NeverFits}
	}
	wait := l.wait(now, w)
	if !w.until.IsZero() && wait >= w.until.Sub(now) {
		return Decision{Reason: TooLate, Wait: wait}
	}
	l.line.join(w)
	return Decision{Reason: Queued, Wait: wait}
}

// hold lets nobody go for d.
func (l *Limiter) hold(now time.Time, d time.Duration) {
	if end := now.Add(d); end.After(l.gate) {
		l.gate = end
	}
}

func (l *Limiter) learnRefusal(now time.Time, w *Waiter, r Refusal) {
	t := now.Sub(l.start)
	hint := max(r.Hint, 0)
	s := l.blame(w, r)
	b := &l.buckets[s]
	window, fits, soft := r.believed()
	if window >= longWindow {
		s = s.long()
		b = &l.buckets[s]
	}
	first := !b.active
	if first {
		over := max(time.Second, min(2*time.Second, 3*l.ramp.step))
		n := l.recent.sum(t, s, over+t-w.sent) - (l.sent[s] - w.mark[s]) - w.cost(s)
		b.estimate.rate = max(float64(n)/over.Seconds(), 1)
		b.source = SourceRefusals
		b.estimate.doubling = b.estimate.rate < coldQuota
	}
	if b.source == SourceText && b.limit == r.Limit && r.Window == b.window {
		window = b.window
	}
	if window > 0 && !b.hard {
		b.estimate.doubling, b.estimate.sure = false, true
		b.limit, b.window, b.source = r.Limit, window, SourceText
		if first || math.Abs(b.estimate.rate/b.known()-1) > 0.1 {
			b.estimate.rate = b.known()
			b.estimate.from = t
		}
	}
	if first {
		b.ahead = int64(b.estimate.rate * milli / 4)
		l.open(now, s, 0)
	}
	_ = soft
	b.wide = false
	if w.admitted >= b.estimate.acted {
		l.ramp.stop()
		b.tune(now, t)
		rate := b.estimate.rate
		gap := b.estimate.refused(t, w, s, w.mark[s]-l.refused[s]*1/2, l.sent[s], l.latency, hint)
		if window > 0 || b.hard {
			b.estimate.rate = rate
		}
		b.tune(now, t)
		b.reserve = 0
		if !fits {
			b.lower(now, 0)
			l.hold(now, gap)
			l.ramp.start(1)
			l.ramp.probe = true
			l.ramp.step = max(10*time.Millisecond, l.latency*5/4)
		}
	}
	if fits {
		b.lower(now, float64(l.price(w, s))-hint.Seconds()*b.known()*milli-milli)
	} else if hint > 0 {
		l.hold(now, min(hint, maxHint))
		b.lower(now, -min(hint, maxHint).Seconds()*b.speed*milli)
	}
}

// blame returns the slot that a refusal is about.
func (l *Limiter) blame(w *Waiter, r Refusal) slot {
	switch r.Dimension {
	case "requests":
		return slotRequests
	case "tokens":
		return slotTokens
	case "input_tokens":
		return slotInput
	case "output_tokens":
		return slotOutput
	case "images":
		return slotImages
	}
	return slotRequests
}

// believed returns the window of a text's limit, and whether its arithmetic proves it.
func (r Refusal) believed() (window time.Duration, fits, soft bool) {
	if !(r.Limit > 0) || r.Limit > maxUnits {
		return 0, false, false
	}
	deficit := r.Used + r.Requested - r.Limit
	for _, w := range [...]time.Duration{r.Window, time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		if w <= 0 {
			continue
		}
		want := deficit * w.Seconds() / r.Limit
		off := math.Abs(r.Hint.Seconds() - want)
		if r.Used > 0 && deficit > 0 && r.Hint > 0 && off <= max(0.05*want, 0.002) {
			return w, true, false
		}
		if w == r.Window && w < longWindow && r.Hint.Seconds() >= want {
			return w, false, true
		}
		if r.Window > 0 {
			return 0, false, false
		}
	}
	return 0, false, false
}
