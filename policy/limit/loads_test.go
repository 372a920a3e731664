package limit

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// shape is when the requests of a load come.
type shape string

const (
	atOnce  shape = "at once"
	bursts  shape = "bursts"
	evenly  shape = "evenly"
	poisson shape = "Poisson"
	blend   shape = "blend" // a stream and bursts in it
)

// sizing is what they cost.
type sizing string

const (
	equal sizing = "equal"
	mixed sizing = "mixed" // 60 % a half, 30 % twice, 10 % five times as much
	heavy sizing = "heavy" // a few are very large
)

// lateness is how long after its deadline a request may still be in the queue.
const lateness = 100 * time.Millisecond

// load is n requests that come over span.
type load struct {
	n         int
	span      time.Duration
	shape     shape
	sizes     sizing
	tokens    int           // of one on average
	most      int           // of one at most
	patient   float64       // the share of those without a deadline
	patience  time.Duration // of the others, at most
	leave     float64       // the share of those whose callers leave
	takes     time.Duration // for an answer, at most
	longTakes bool          // for each tenth twenty times as long
}

// draw makes the load's requests, in the order in which they come from start on.
func (l load) draw(r *rand.Rand, start time.Time) []*job {
	at := l.arrivals(r)
	jobs := make([]*job, l.n)
	for i := range jobs {
		j := &job{at: at[i], takes: time.Duration(r.Float64() * float64(l.takes))}
		if l.longTakes && r.IntN(10) == 0 {
			j.takes *= 20
		}
		j.Tokens = l.size(r)
		if r.Float64() >= l.patient {
			patience := l.patience/50 + time.Duration(r.Float64()*float64(l.patience))
			// Its caller goes a little after its time: until then the queue must not let it out.
			j.Deadline, j.leaves = start.Add(j.at+patience), patience+time.Duration(r.Float64()*float64(lateness))
		}
		if r.Float64() < l.leave {
			if d := time.Duration(r.Float64() * float64(l.patience)); j.leaves == 0 || d < j.leaves {
				j.leaves = d + 1
			}
		}
		jobs[i] = j
	}
	return jobs
}

// arrivals are the times at which the requests come, in order.
func (l load) arrivals(r *rand.Rand) []time.Duration {
	at := make([]time.Duration, l.n)
	moments := make([]time.Duration, 1+r.IntN(5))
	for i := range moments {
		moments[i] = time.Duration(r.Float64() * float64(l.span))
	}
	for i := range at {
		spread := time.Duration(float64(l.span) * float64(i) / float64(l.n))
		switch l.shape {
		case bursts:
			at[i] = moments[r.IntN(len(moments))]
		case evenly:
			at[i] = spread
		case poisson:
			at[i] = time.Duration(r.Float64() * float64(l.span)) // given how many they are
		case blend:
			at[i] = spread
			if r.IntN(2) == 0 {
				at[i] = moments[r.IntN(len(moments))]
			}
		}
	}
	slices.Sort(at)
	return at
}

// size is what one request costs.
func (l load) size(r *rand.Rand) int {
	n := float64(l.tokens)
	switch x := r.Float64(); {
	case l.sizes == mixed && x < 0.6:
		n /= 2
	case l.sizes == mixed && x < 0.9:
		n *= 2
	case l.sizes == mixed:
		n *= 5
	case l.sizes == heavy:
		n /= 3 * math.Pow(1-x, 1/1.5) // Pareto's, with this mean
	}
	return max(1, min(int(n), l.most))
}
