package limit

import (
	"math"
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
	if b.reading.comeback.fixed {
		refilled = 0
		compared = math.Abs((now.end - base.end).Seconds()) < comebackLeast.Seconds()
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
