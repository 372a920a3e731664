package policy

import "time"

// The ramp: the first few at once, then each step three times as many, spread
// evenly over it. 4, 12, 36, 108, 324: 484 are out after 600 ms and the 500th
// 2.5 ms later, while a server that is still ill has met four by the start.
const (
	rampFirst  = 4
	rampGrowth = 3
	rampStep   = 150 * time.Millisecond
	// rampSteps is how often the ramp grows; it goes on at 4·3¹² a step.
	rampSteps = 12
)

// Ramp says how many of those who waited at an open breaker may go once it has
// closed: all at once would bring down what has just come up. What is allowed and
// not used stays allowed. Whoever lets out the last one drops the ramp. Not safe
// for concurrent use; made by NewRamp.
type Ramp struct {
	start time.Time
	first int64 // how many may go at start itself
	size  int64 // how many more in the first step
	taken int64
}

// NewRamp returns a ramp that begins now: four may go at once.
func NewRamp(now time.Time) *Ramp {
	return &Ramp{start: now, first: rampFirst, size: rampFirst * rampGrowth}
}

// Take returns how many of waiting may go now, and counts them as gone.
func (r *Ramp) Take(now time.Time, waiting int) int {
	n := max(0, min(r.allowed(now)-r.taken, int64(waiting)))
	r.taken += n
	return int(n)
}

// Next returns when the next one may go: now, if one may already.
func (r *Ramp) Next(now time.Time) time.Time {
	if r.taken < r.allowed(now) {
		return now
	}
	if r.taken < r.first {
		return r.start
	}
	at, before, size := r.start, r.first, r.size
	for i := 0; i < rampSteps && r.taken >= before+size; i++ {
		at, before, size = at.Add(rampStep), before+size, size*rampGrowth
	}
	// The j-th of a step goes at its j-th part, rounded up to the nanosecond.
	j := r.taken + 1 - before
	steps, part := j/size, (j%size*int64(rampStep)+size-1)/size
	return at.Add(time.Duration(steps)*rampStep + time.Duration(part))
}

// allowed is how many may have gone by now.
func (r *Ramp) allowed(now time.Time) int64 {
	elapsed := now.Sub(r.start)
	if elapsed < 0 {
		return 0
	}
	total, size := r.first, r.size
	for i := 0; i < rampSteps && elapsed >= rampStep; i++ {
		total, size, elapsed = total+size, size*rampGrowth, elapsed-rampStep
	}
	return total + size*int64(elapsed/rampStep) + size*int64(elapsed%rampStep)/int64(rampStep)
}
