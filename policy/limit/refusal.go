package limit

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// Refusal is what a 429 or its like told. The zero value is a bare refusal. Values
// that make no sense count as not told.
type Refusal struct {
	// Hint is the wait that the answer names, 0 when it names none.
	Hint time.Duration
	// HintFalse says that Hint is known not to help; it then counts as not told.
	HintFalse bool
	// HintFull says that Hint is when all of the limit is there again, as Headers tell it,
	// and not when this request fits.
	HintFull bool
	// Dimension is what the text says ran out: "requests", "tokens", "input_tokens",
	// "output_tokens", "project_tokens" or "images"; "" when it does not say. Any
	// other ("concurrency") is something that this limiter does not count.
	Dimension string
	// Limit, Used and Requested are the text's numbers, 0 when not told.
	Limit, Used, Requested float64
	// Window is the time that Limit is for, 0 when not told.
	Window time.Duration
	// SlowDown says that the rate rose too fast, not that a limit was reached.
	SlowDown bool
	// Headers are the rate-limit headers of the refusal.
	Headers Headers
}

// maxHint is the longest wait that is believed without proof of a limit by the
// day: Azure says 86400 s to a request that can never pass (climb#1, TinyLLM#17).
const maxHint = 60 * time.Second

// Arithmetic fits within this share, or this much for small waits (they are
// printed in milliseconds).
const (
	fitShare = 0.05
	fitTime  = 2 * time.Millisecond
)

// clean returns r without values that make no sense, and how many there were.
func (r Refusal) clean() (Refusal, int) {
	bad := 0
	for _, n := range [...]*float64{&r.Limit, &r.Used, &r.Requested} {
		if !(*n >= 0) || *n > maxUnits {
			*n = 0
			bad++
		}
	}
	if r.Limit > 0 && r.Limit < 1 {
		r.Limit = 0
		bad++
	}
	if r.Window != 0 && r.Window < time.Second || r.Window > maxReset {
		r.Window = 0
		bad++
	}
	if r.Hint < 0 || r.Hint > maxReset {
		r.Hint = 0
		bad++
	}
	if r.HintFalse {
		r.Hint = 0
	}
	return r, bad
}

// proof returns the window of the text's limit that the wait proves: providers
// print hint = (used + requested - limit) / (limit / window), and this holds to the
// digit in every such text known (OpenAI, Groq). 0 is none.
func (r Refusal) proof() time.Duration {
	deficit := r.Used + r.Requested - r.Limit
	if r.Limit <= 0 || r.Used <= 0 || deficit <= 0 || r.Hint <= 0 {
		return 0
	}
	for _, w := range [...]time.Duration{r.Window, time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		want := deficit / r.Limit * w.Seconds()
		if w > 0 && math.Abs(r.Hint.Seconds()-want) <= max(fitShare*want, fitTime.Seconds()) {
			return w
		}
		if r.Window > 0 {
			return 0
		}
	}
	return 0
}

// plain returns the window that the text names for its limit, if its wait does not
// speak against it: where a limit is enforced over shorter times than announced, the
// wait is longer than the arithmetic says, or about as long. 0 is none.
func (r Refusal) plain() time.Duration {
	deficit := max(r.Used+r.Requested-r.Limit, 0)
	if r.Limit <= 0 || r.Window <= 0 || r.Window >= longWindow {
		return 0
	}
	if r.Hint > 0 && 2*r.Hint.Seconds() < deficit/r.Limit*r.Window.Seconds() {
		return 0
	}
	return r.Window
}

// resets reports whether the wait is that until all of a limit is there again, as headers
// tell it: it says nothing about the time from which on some is.
func (r Refusal) resets() bool {
	return r.Hint > 0 && slices.ContainsFunc(r.Headers.Readings, func(h Reading) bool { return h.Reset == r.Hint })
}

// tooLarge reports whether the text says that the request alone exceeds the limit.
func (r Refusal) tooLarge() bool { return r.Limit > 0 && r.Requested > r.Limit }

// A refusal that names a wait and nothing else may still come by chance. What it takes to
// believe that it means a limit, where nothing else explains one: chanceRow refusals in a
// row, or chanceMost of the last sixteen requests. One in ten at random does that once
// in thousands of requests, and a limit that is exceeded by half at once. At chanceSeen
// that were not believed, while others passed, they are held for chance for noiseTime, in
// which it takes chanceLost of sixteen.
const (
	chanceRow  = 4
	chanceMost = 7
	chanceSeen = 6
	chanceLost = 10
	// aloneLeast is how many must have passed since the refusal before for one to be none of
	// several that have the same reason, as while a share of ten seconds is used up.
	aloneLeast = 3
)

const (
	// crowdedQueue is from how many in the queue on more is wanted than is sent: what is
	// refused then is explained by a limit.
	crowdedQueue = 16
	// busyShare is which part of a bucket's speed must be used for a refusal to be its.
	busyShare = 0.6
	// scarceShare is how little of a limit a header must tell to remain to explain a refusal:
	// what the request is charged may be far more than it seems to cost.
	scarceShare = 0.5
)

// chance remembers what became of the last requests, to tell refusals that name a wait and
// mean a limit from those that hit at random. The zero value has seen none.
type chance struct {
	last uint16        // the last that were sent, set by such a refusal
	seen int           // not believed since the last that was
	held time.Duration // until then they are held for chance
}

// hinted reports whether a refusal tells no more than how long to wait, and of which limit
// at most.
func (r Refusal) hinted() bool {
	if _, counted := slotOf(r.Dimension); r.Dimension != "" && !counted {
		return false
	}
	return r.Hint > 0 && r.Hint <= maxHint && !r.HintFalse && !r.SlowDown && r.Limit == 0 && r.Window == 0
}

// Unproven reports whether a refusal proves nothing of a limit: it tells that it is one, and at
// most for how long to wait.
func (r Refusal) Unproven() bool {
	return r.Bare() || r.hinted() && r.Dimension == "" && !scarce(r.Headers)
}

// scarce reports whether headers tell that little remains of a limit.
func scarce(h Headers) bool {
	for _, told := range h.Readings {
		if told.Remaining >= 0 && told.Remaining <= max(1, scarceShare*told.Limit) {
			return true
		}
	}
	return false
}

// Chance takes in a refusal, and reports whether it hit its request at random, as far as
// can be known: then it concerns that alone, which waits for as long as it was told to, and
// Refused is not to be told of it. Bare ones are for Believes.
func (l *Limiter) Chance(now time.Time, r Refusal) bool {
	if !r.hinted() || !l.set.Learn {
		return false
	}
	now = l.tick(now)
	c, d, t := &l.chances, &l.doubts, now.Sub(l.start)
	d.even(l.sent[unitRequest]) // for the gaps: a limit that is exceeded by so little as to refuse evenly needs no queue
	alone := d.after[0]-d.after[1] > aloneLeast
	c.last |= c.last + 1 // the lowest that is not set
	refused := bits.OnesCount16(c.last)
	if t < c.held {
		if refused < chanceLost {
			return true
		}
		*c, d.limits = chance{last: c.last}, t+noiseTime
		return false
	}
	switch {
	case alone && l.contradicts(t):
		d.calm, c.held = 0, t+noiseTime
		l.unlearn()
		return true
	case scarce(r.Headers), now.Before(l.gate), l.busy(t),
		refused >= chanceMost, c.last&(1<<chanceRow-1) == 1<<chanceRow-1:
		c.seen = 0
		return false
	}
	if d.after[0]-d.after[1] > 1 {
		d.free++
		if c.seen++; c.seen >= chanceSeen && t >= d.limits {
			c.held = t + noiseTime
		}
	}
	return true
}

// contradicts takes in a refusal at t, and reports whether many came while much less
// was sent than passed before.
func (l *Limiter) contradicts(t time.Duration) bool {
	d := &l.doubts
	if l.calm(t) {
		d.calm |= d.calm + 1
	}
	return t >= d.limits && bits.OnesCount16(d.calm) >= doubtLeast
}

// busy reports whether so much was wanted or sent just before t that a limit explains a
// refusal: a long queue, or most of what some bucket gives out.
func (l *Limiter) busy(t time.Duration) bool {
	if l.queue.length > crowdedQueue {
		return true
	}
	for _, s := range l.active {
		b := l.bucket(s)
		sent := l.scale(s) * float64(l.recent.Sum(t, int(s.counts()), recentTime))
		if b.window < longWindow && sent >= busyShare*b.speed*recentTime.Seconds() {
			return true
		}
	}
	return false
}
