package limit

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
	// firstShare is how much the first one counts, and mostStep how many times higher
	// or lower than what is known a measurement is believed.
	firstShare = 0.5
	mostStep   = 4
)

// factor is the real cost per estimated cost.
func (b *bucket) factor() float64 {
	if b.ratio == 0 {
		return 1
	}
	return b.ratio
}

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

// settle compares what the requests between two answers cost by the headers with
// what they were charged, learns the factor, and returns what was charged too much.
func (b *bucket) settle(w *Waiter, u unit, r Reading) float64 {
	last := b.reading
	if u != unitToken || last.mark == 0 || w.mark[u] <= last.mark || last.remaining >= r.Limit || r.Remaining >= r.Limit || !last.continuous {
		return 0
	}
	estimated := float64(w.mark[u] - last.mark)
	refilled := b.known() * (w.sent - last.at).Seconds()
	real := last.remaining + refilled - r.Remaining
	if estimated < settleLeast || real <= 0 || refilled > estimated {
		return 0
	}
	before := b.factor()
	b.learnFactor(real/estimated, settleShare)
	return max(0, before-real/estimated) * estimated * milli
}
