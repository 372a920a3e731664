package limit

import (
	"math"
	"slices"
	"time"
)

// Token costs are estimated, and providers count them in different ways: OpenAI
// takes the larger of the most output allowed and the prompt's estimate, others
// their sum, others the real count. So each bucket keeps a factor.
const (
	leastFactor = 0.02
	mostFactor  = 3.0
	// settleShare is how much one measurement counts against those before it, and
	// settleLeast the cost from which on it means anything.
	settleShare = 0.25
	settleLeast = 100
	// settleTime is how far apart two headers are that are compared, so that it does
	// not matter in which order requests arrived.
	settleTime = time.Second
	// firstShare is how much the first one counts, and mostStep how many times higher
	// or lower than what is known a measurement is believed.
	firstShare = 0.5
	mostStep   = 4
)

// learnFactor takes in one measurement of the factor.
func (b *bucket) learnFactor(ratio, weight float64) {
	if !(ratio > 0) {
		return
	}
	if !b.reading.settled {
		weight = max(weight, firstShare)
	}
	ratio = min(max(ratio, b.factor()/mostStep), b.factor()*mostStep)
	b.reading.settled = true
	b.ratio = min(max(b.factor()*(1-weight)+ratio*weight, leastFactor), mostFactor)
}

// bound learns from what is used of a limit after a request: it cannot have cost more.
// While the limit is never short this is all that can be known.
func (b *bucket) bound(a amounts, used float64) {
	switch cost := float64(a[unitToken]); {
	case used >= b.charge(unitToken, a):
	case b.constant(a) > 0:
		b.fix(a, used)
	case cost > 0:
		b.learnFactor(used/cost, settleShare)
	}
}

// basis is a moment at which a header told what was left.
type basis struct {
	at        time.Duration // when the request that brought it was sent
	end       time.Duration // when all would be there again
	remaining float64
	accepted  amounts // sent by then and not refused
}

// settle compares what the requests between two headers cost by them with what they
// were charged, learns the factor, and returns what was charged too much.
func (b *bucket) settle(now basis, limit float64) float64 {
	base := b.reading.base
	span := now.at - base.at
	first := base.accepted == amounts{}
	if !first && span >= 0 && span < settleTime {
		return 0
	}
	b.reading.base = now
	sent := now.accepted.minus(base.accepted)
	refilled := b.known() * span.Seconds()
	compared := b.reading.continuous
	if b.reading.resetMode.fixed {
		refilled = 0
		compared = math.Abs((now.end - base.end).Seconds()) < resetLeast.Seconds()
	}
	told := base.remaining + refilled - now.remaining
	// A bucket that may have been full hides what was used.
	full := base.remaining+refilled > limit
	if first || full || !compared || sent[unitRequest] <= 0 || told <= 0 {
		return 0
	}
	before := b.charge(unitToken, sent)
	b.measured(sent, told)
	return max(0, before-b.charge(unitToken, sent)) * milli
}

// What others use of the limit lowers what remains, too, so only what they can hardly cause
// counts: a burst sent within fallTime, of which fallLeast or more were sent and all were
// answered, with steps of fallEven of their average or more. What comes in during the burst,
// fallOthers times over, is taken to be theirs.
const (
	fallTime   = 250 * time.Millisecond
	fallLeast  = 3
	fallMost   = 16
	fallEven   = 0.5
	fallOthers = 4
	// fallSlack is how much later than the answer that tells the least the one that tells the
	// most may have been sent: requests overtake one another on their way. Longer than that,
	// the limit may have come back in between.
	fallSlack = 50 * time.Millisecond
)

// fall is what the answers to the requests of one burst tell that remains: a stair, of which
// each step is what one request was charged. Times are offsets from the limiter's start. The
// zero value has seen no answer.
type fall struct {
	from   time.Duration // when the first of the burst was sent,
	until  time.Duration // and when the last one was that was answered
	before amounts       // sent and not refused before the first
	stair  [fallMost]remaining
	n      int // answers
}

// remaining is what one answer tells that is left.
type remaining struct {
	left float64
	sent time.Duration // when its request was
	end  time.Duration // when all would be there again, 0 if it does not say
}

// see takes in what the answer to w tells. before is what had been sent and not refused
// before w.
func (f *fall) see(w *Waiter, r Reading, before amounts) {
	told := remaining{left: r.Remaining, sent: w.sent}
	if r.Reset >= 0 {
		told.end = w.sent + r.Reset
	}
	if f.n == 0 || w.sent-f.from > fallTime || f.until-w.sent > fallTime {
		*f = fall{from: w.sent, until: w.sent, before: before}
	}
	if w.sent < f.from {
		f.from, f.before = w.sent, before
	}
	f.until = max(f.until, w.sent)
	if f.n < fallMost {
		f.stair[f.n] = told
	}
	f.n++
}

// whole returns what the burst asked for if all of it was answered, when so much was sent and
// not refused by now.
func (f *fall) whole(accepted amounts) (amounts, bool) {
	a := accepted.minus(f.before)
	return a, int64(f.n) == a[unitRequest]
}

// charged returns what the burst was charged at the least, where so many units come in per
// second, and the last of the stair. It is 0 if that shows nothing.
func (f *fall) charged(rate float64) (float64, remaining) {
	if f.n < fallLeast || f.n > fallMost {
		return 0, remaining{}
	}
	stair := slices.Clone(f.stair[:f.n])
	slices.SortFunc(stair, func(a, b remaining) int { return int(b.left - a.left) })
	most, least := stair[0], stair[f.n-1]
	if most.back(least) {
		return 0, least
	}
	steps := float64(f.n - 1)
	even := (most.left - least.left) / steps
	for i := range stair[1:] {
		if stair[i].left-stair[i+1].left < fallEven*even {
			return 0, least
		}
	}
	others := fallOthers * rate * (f.until - f.from).Seconds()
	return max(0, (most.left-least.left-others)*float64(f.n)/steps), least
}

// back reports whether the limit came back between less and more: a minute of the clock turned.
// Of a limit that refills all is there the sooner the more is left.
func (more remaining) back(less remaining) bool {
	return more.sent > less.sent+fallSlack || more.end > less.end+resetLeast
}
