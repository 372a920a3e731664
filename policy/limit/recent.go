package limit

import (
	"math"
	"time"
)

// recent counts what was sent and what was refused in the last seconds by bins, and
// averages requests over longer. Times are offsets from the limiter's start.
type recent struct {
	sent    [recentBins][units]int64
	refused [recentBins][units]int64
	bare    [recentBins]int64
	bin     int64         // number of the newest bin
	most    float64       // the most requests that passed in recentTime, lately
	mostAt  time.Duration // when it was that
	now     average       // the present rate
	quiet   average       // the rate over long
	was     [2]float64    // what that was at wasAt, and presentTime or more before: less in a short history
	wasAt   time.Duration // zero is never
}

const (
	recentBins  = 32
	recentBin   = 125 * time.Millisecond
	recentTime  = recentBins * recentBin
	presentTime = 10 * time.Second
	spikeTime   = 15 * time.Minute
	bestTime    = 10 * time.Minute
	// In a short history the last seconds are at least this part of it, and leastPresent:
	// a spike soon after the start would have no time before it.
	presentPart  = 3
	leastPresent = time.Second
)

// add counts a waiter that was sent at t.
func (r *recent) add(t time.Duration, w *Waiter) {
	r.advance(t)
	for u := range units {
		r.sent[r.bin%recentBins][u] += w.cost(u)
	}
	r.most, r.mostAt = max(r.best(t), float64(r.passed(t, unitRequest))), t
	r.now.add(t, presentTime)
	r.quiet.add(t, spikeTime)
	if t-max(r.wasAt, r.quiet.first) >= presentSpan(t-r.quiet.first) {
		r.was, r.wasAt = [2]float64{r.quiet.value(t, spikeTime), r.was[0]}, t
	}
}

// presentSpan is how long the last seconds are in a history of so long.
func presentSpan(history time.Duration) time.Duration {
	return min(max(history/presentPart, leastPresent), presentTime)
}

// before is the rate over long as it was before the last seconds, 0 if that is not
// known: a spike is no part of it.
func (r *recent) before() float64 { return r.was[1] }

// refuse counts a waiter whose refusal came at t.
func (r *recent) refuse(t time.Duration, w *Waiter) {
	r.advance(t)
	for u := range units {
		r.refused[r.bin%recentBins][u] += w.cost(u)
	}
}

func (r *recent) advance(t time.Duration) {
	n := int64(t / recentBin)
	for range min(n-r.bin, recentBins) {
		r.bin++
		r.sent[r.bin%recentBins] = [units]int64{}
		r.refused[r.bin%recentBins] = [units]int64{}
		r.bare[r.bin%recentBins] = 0
	}
	r.bin = max(r.bin, n)
}

// sum is what was sent in the time over, at most recentTime, before t.
func (r *recent) sum(t time.Duration, u unit, over time.Duration) int64 {
	r.advance(t)
	var n int64
	for i := range min(int64(over/recentBin), recentBins, r.bin+1) {
		n += r.sent[(r.bin-i)%recentBins][u]
	}
	return n
}

// passed is what was sent in recentTime before t and not refused.
func (r *recent) passed(t time.Duration, u unit) int64 {
	return max(0, r.sum(t, u, recentTime)-r.lost(t, u))
}

// doubted counts a bare refusal that came at t, and returns how many did in recentTime.
func (r *recent) doubted(t time.Duration) int64 {
	r.advance(t)
	r.bare[r.bin%recentBins]++
	var n int64
	for _, b := range r.bare {
		n += b
	}
	return n
}

// lost is what was refused in recentTime before t.
func (r *recent) lost(t time.Duration, u unit) int64 {
	r.advance(t)
	var n int64
	for i := range r.refused {
		n += r.refused[i][u]
	}
	return n
}

// best is the most requests that passed in recentTime, lately: it fades in ten minutes.
func (r *recent) best(t time.Duration) float64 { return r.most * decay(t-r.mostAt, bestTime) }

// average is an exponentially weighted rate of events.
type average struct {
	perSecond float64
	first, at time.Duration
	seen      bool
}

func (a *average) add(t, over time.Duration) {
	if !a.seen {
		a.seen, a.first, a.at = true, t, t
	}
	a.perSecond = a.perSecond*decay(t-a.at, over) + 1/over.Seconds()
	a.at = t
}

// value is the average rate at t, corrected for a history shorter than over.
func (a *average) value(t, over time.Duration) float64 {
	if !a.seen {
		return 0
	}
	return a.perSecond * decay(t-a.at, over) / (1 - decay(max(time.Second, t-a.first), over))
}

func decay(d, over time.Duration) float64 { return math.Exp(-d.Seconds() / over.Seconds()) }
