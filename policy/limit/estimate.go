package limit

import (
	"math"
	"time"
)

// How an estimate changes. The numbers were found by simulation (see the tests).
const (
	// quiet is how long an estimate of quickRate requests per second or more must hold
	// without a refusal until the speed has grown from pace to the whole of it. For
	// smaller ones it is longer: the same number of requests, and more if the limit
	// was told, since there one refusal costs seconds.
	quiet     = 4 * time.Second
	quickRate = 10
	// steepness makes growth slow near the estimate, where it is likely right, and
	// doubles the speed in twice that time, when it is clearly wrong.
	steepness = 6
	// mostGrowth bounds how many times quiet growth goes on.
	mostGrowth = 3
	// mostCut is the least that one refusal leaves of an estimate.
	mostCut = 0.85
	// looseCut marks an estimate as doubtful, so that it may grow back sooner.
	looseCut = 0.93
	// A doubling estimate doubles after this time and count, so many times at most.
	doublingTime  = 250 * time.Millisecond
	doublingCount = 4
	mostDoubled   = 20
	// Rates are measured over at least this time and count.
	measureTime  = 800 * time.Millisecond
	measureCount = 5
	// leastPace is the longest that an estimate may keep requests apart.
	leastPace = time.Minute
	// shareJitter is how many seconds longer than it was a time may seem to be.
	shareJitter = 0.1
	// againCount congestion events, each so soon after the one before, are a sign of a fallen
	// limit.
	againCount = 2
	againTime  = 800 * time.Millisecond
	// crowdCount congestion events within that time (or that of crowdUnits requests) in which less
	// than crowdShare of a known limit was let through show that others use it too.
	crowdCount = 3
	crowdLeast = 1500 * time.Millisecond
	crowdMost  = 6 * time.Second
	crowdUnits = 12
	crowdShare = 0.8
	// mostCrowd is the least share of a limit that an estimate allows for a crowd: growth
	// leads from there to the whole of it.
	mostCrowd = 12
	// steadyTime and steadyCount are for how long a speed must have been used
	// without a refusal to count as allowed.
	steadyTime  = time.Second
	steadyCount = 8
)

// estimate is the rate that one slot is believed to allow, with what was observed
// about it. Times are offsets from the limiter's start.
type estimate struct {
	rate     float64       // units per second
	unit     float64       // what a request costs on average
	scale    float64       // units charged per unit that is counted, 0 is 1
	from     time.Duration // growth counts from here
	doubling bool          // it rests on next to nothing: double it until it is refused
	doubtful bool          // it may well be too low
	firm     bool          // it was told
	slow     float64       // how much slower to grow, since refusals take long; 0 is not
	crowd    float64       // units per second of a limit that others use too; 0 is none

	acted  time.Duration // what was admitted before belongs to the last congestion event
	taken  int64         // units admitted when it was acted on
	misses int           // refusals in a row with nothing let through between them
	begun  inFlight      // the last congestion event's first refusal
	marks  [16]mark
	n      int // marks written so far
}

// reset sets a rate that was told or is a first guess.
func (e *estimate) reset(rate float64, t time.Duration) {
	e.rate, e.from = rate, t
	e.doubling, e.doubtful, e.firm, e.crowd = false, false, false, 0
}

// speed is the rate to use at t: a little under the estimate, and after a while
// without a refusal more and more above it.
func (e *estimate) speed(t time.Duration) float64 {
	if e.doubling {
		return e.doubled(t)
	}
	x := min(e.growth(t), mostGrowth)
	return e.rate * (pace + (1-pace)*math.Pow(x, steepness))
}

// outgrown reports whether quiet growth has gone on for as long as it may.
func (e *estimate) outgrown(t time.Duration) bool { return e.growth(t) >= mostGrowth }

// growth is for how many quiet times nothing has been refused.
func (e *estimate) growth(t time.Duration) float64 {
	fewer := max(1, quickRate*e.unit/max(e.rate, e.crowd))
	if e.firm {
		fewer *= fewer
	}
	tau := quiet.Seconds() * fewer * (1 + e.slow)
	if e.doubtful {
		tau /= 2
	}
	return max(0, (t-e.from).Seconds()/tau)
}

// doubled is a rate that doubles after each few requests that were not refused.
func (e *estimate) doubled(t time.Duration) float64 {
	rate, left := e.rate, (t - e.from).Seconds()
	for range mostDoubled {
		left -= max(doublingTime.Seconds(), doublingCount*e.unit/rate)
		if left < 0 {
			break
		}
		rate *= 2
	}
	return rate
}

// refused takes in that something was refused which was sent when accepted of all the
// units sent had been let through.
func (e *estimate) refused(now, sent time.Duration, accepted, all int64) {
	at := e.speed(sent)
	measured, most := e.measured(sent, accepted, all)
	e.doubtful, e.firm = false, false
	switch {
	case e.misses > 0 || e.n == 0:
		e.doubtful = e.n == 0
	case e.doubling:
		e.rate = at / 2
	case e.again(sent) && (measured == 0 || !e.young(sent)):
		e.rate = min(e.rate*mostCut, at, most)
	case measured > 0:
		before := e.rate
		e.rate = min(max(measured, e.steady(sent), mostCut*e.rate), at)
		if at <= 1.05*before {
			e.rate = min(e.rate, most)
		}
		e.doubtful = e.rate < looseCut*before
	default:
		e.rate = min(e.rate, at) * 0.97
	}
	e.rate = max(e.rate, e.unit/leastPace.Seconds())
	e.doubling = e.doubling && (e.n == 0 || e.misses > 0)
	e.from = now
}

// again reports whether the last congestion events were so short a time before t that what was
// measured up to then holds no more. Shares by the second cannot end that fast.
func (e *estimate) again(t time.Duration) bool {
	near := max(againTime.Seconds(), 2*e.unit/e.rate)
	for i := 1; i <= againCount; i++ {
		if e.n < i || (t-e.marks[(e.n-i)%len(e.marks)].at).Seconds() > near*float64(i) {
			return false
		}
	}
	return true
}

// young reports whether all that is known at t was observed just before.
func (e *estimate) young(t time.Duration) bool {
	return e.n > 0 && e.n <= len(e.marks) && (t-e.marks[0].at).Seconds() <= e.near()
}

// near is how many seconds ago what was observed still counts most.
func (e *estimate) near() float64 { return max(3, 30*e.unit/e.rate) }

// crowded reports whether there were so many congestion events up to t, and so little of a limit
// of known units per second was sent meanwhile, that others must be using it too. Alone,
// at the pace of a limit that is known, refusals are rare.
func (e *estimate) crowded(t time.Duration, sent int64, known float64) bool {
	if known == 0 || e.n < crowdCount {
		return false
	}
	for i := crowdCount; i <= min(e.n, len(e.marks)); i++ {
		m := e.marks[(e.n-i)%len(e.marks)]
		span := (t - m.at).Seconds()
		if span > max(crowdMost.Seconds(), crowdUnits*e.unit/known) {
			return false
		}
		if span >= max(crowdLeast.Seconds(), crowdCount*e.unit/known) && e.counted(sent-m.sent) < crowdShare*known*span {
			return true
		}
	}
	return false
}

// steady is the speed that was used for a while before t without a refusal, if it
// was more than the estimate. Measuring alone would take the time of slow growth
// for a slow upstream: one whose bucket is small loses what was not used.
func (e *estimate) steady(t time.Duration) float64 {
	lag := seconds(max(steadyTime.Seconds(), steadyCount*e.unit/e.rate))
	if e.doubling || t-lag <= e.from {
		return 0
	}
	if v := e.speed(t - lag); v > e.rate {
		return v * 0.99
	}
	return 0
}

// counted is how many units are charged where so many were counted.
func (e *estimate) counted(n int64) float64 {
	if e.scale == 0 {
		return float64(n)
	}
	return e.scale * float64(n)
}

// miss counts refusals in a row; before is what was sent before the one refused.
func (e *estimate) miss(before int64) {
	if before <= e.taken {
		e.misses++
	} else {
		e.misses = 0
	}
}

// shareCount is how many shares by the second, each at its begin, are at least given out in
// span seconds if any is; in less than a second that is no fewer than by an even refill.
func shareCount(span float64) float64 { return min(span, max(1, math.Floor(span-shareJitter))) }
