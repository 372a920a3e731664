package limit

import (
	"math"
	"time"
)

// recentBins of recentBin make up the second over which sending is counted.
const (
	recentBins = 32
	recentBin  = 125 * time.Millisecond
)

// recent counts what was sent in the last second, and averages requests over longer.
type recent struct {
	bins  [recentBins][slots]int64
	bin   int64 // number of the newest bin
	short average
	long  average
}

// add counts a waiter that was sent at t.
func (r *recent) add(t time.Duration, w *Waiter) {
	r.advance(t)
	for s := range slots {
		r.bins[r.bin%recentBins][s] += w.cost(s)
	}
	r.short.add(t, presentTime)
	r.long.add(t, spikeTime)
}

func (r *recent) advance(t time.Duration) {
	n := int64(t / recentBin)
	for range min(n-r.bin, recentBins) {
		r.bin++
		r.bins[r.bin%recentBins] = [slots]int64{}
	}
	r.bin = max(r.bin, n)
}

// sum is what was sent in the second before t.
func (r *recent) sum(t time.Duration, s slot, over time.Duration) int64 {
	r.advance(t)
	var n int64
	for i := range min(int64(over/recentBin), recentBins) {
		if r.bin >= i {
			n += r.bins[(r.bin-i)%recentBins][s]
		}
	}
	return n
}

// average is an exponentially weighted rate of events.
type average struct {
	perSecond float64
	first, at time.Duration
	n         int
}

func (a *average) add(t, over time.Duration) {
	if a.n == 0 {
		a.first = t
	}
	a.n++
	a.perSecond = a.perSecond*math.Exp(-float64(t-a.at)/float64(over)) + 1/over.Seconds()
	a.at = t
}

// value is the average rate at t, corrected for a history shorter than over.
func (a *average) value(t, over time.Duration) float64 {
	if a.n == 0 {
		return 0
	}
	known := 1 - math.Exp(-max(1, (t-a.first).Seconds())/over.Seconds())
	return a.perSecond * math.Exp(-float64(t-a.at)/float64(over)) / known
}
