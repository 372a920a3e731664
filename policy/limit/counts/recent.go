// Package counts counts what went through in the last seconds and minutes. Times are offsets
// from the caller's start.
package counts

import "time"

// Units is how many things are counted side by side. The first are requests.
const (
	Requests = 0
	Units    = 4
)

// Recent counts what was sent and what was refused in the last seconds by bins, and
// averages requests over longer. Times are offsets from the limiter's start.
type Recent struct {
	sent    [recentBins][Units]int64
	refused [recentBins][Units]int64
	bare    [recentBins]int64
	bin     int64         // number of the newest bin
	most    float64       // the most requests that passed in RecentTime, lately
	mostAt  time.Duration // when it was that
	// Now is the present rate, over PresentTime.
	Now Average

	quiet Average       // the rate over long
	was   [2]float64    // what that was at wasAt, and PresentTime or more before: less in a short history
	wasAt time.Duration // zero is never
}

// How far back requests count.
const (
	// RecentTime is how far back requests are counted one by one. PresentTime and SpikeTime are
	// over how long the present rate and that before a spike are averaged.
	RecentTime  = recentBins * recentBin
	PresentTime = 10 * time.Second // see RecentTime
	SpikeTime   = 15 * time.Minute

	recentBins = 32
	recentBin  = 125 * time.Millisecond
	bestTime   = 10 * time.Minute
	// In a short history the last seconds are at least this part of it, and leastPresent:
	// a spike soon after the start would have no time before it.
	presentPart  = 3
	leastPresent = time.Second
)

// Add counts what was sent at t.
func (r *Recent) Add(t time.Duration, cost [Units]int64) {
	r.advance(t)
	for u := range Units {
		r.sent[r.bin%recentBins][u] += cost[u]
	}
	r.most, r.mostAt = max(r.Best(t), float64(r.Passed(t, Requests))), t
	r.Now.Add(t, PresentTime)
	r.quiet.Add(t, SpikeTime)
	if t-max(r.wasAt, r.quiet.first) >= presentSpan(t-r.quiet.first) {
		r.was, r.wasAt = [2]float64{r.quiet.Value(t, SpikeTime), r.was[0]}, t
	}
}

// AddSome counts what others sent until t, of which so much was refused.
func (r *Recent) AddSome(t time.Duration, sent, refused [Units]int64) {
	n := sent[Requests]
	if n == 0 {
		return
	}
	if n > 1 {
		r.Now.AddSome(t, PresentTime, float64(n-1))
		r.quiet.AddSome(t, SpikeTime, float64(n-1))
	}
	r.Add(t, sent)
	r.Refuse(t, refused)
}

// presentSpan is how long the last seconds are in a history of so long.
func presentSpan(history time.Duration) time.Duration {
	return min(max(history/presentPart, leastPresent), PresentTime)
}

// Before is the rate over long as it was before the last seconds, 0 if that is not
// known: a spike is no part of it.
func (r *Recent) Before() float64 { return r.was[1] }

// Refuse counts what was refused at t.
func (r *Recent) Refuse(t time.Duration, cost [Units]int64) {
	r.advance(t)
	for u := range Units {
		r.refused[r.bin%recentBins][u] += cost[u]
	}
}

func (r *Recent) advance(t time.Duration) {
	n := int64(t / recentBin)
	for range min(n-r.bin, recentBins) {
		r.bin++
		r.sent[r.bin%recentBins] = [Units]int64{}
		r.refused[r.bin%recentBins] = [Units]int64{}
		r.bare[r.bin%recentBins] = 0
	}
	r.bin = max(r.bin, n)
}

// Sum is what was sent in the time over, at most RecentTime, before t.
func (r *Recent) Sum(t time.Duration, u int, over time.Duration) int64 {
	r.advance(t)
	var n int64
	for i := range min(int64(over/recentBin), recentBins, r.bin+1) {
		n += r.sent[(r.bin-i)%recentBins][u]
	}
	return n
}

// Passed is what was sent in RecentTime before t and not refused.
func (r *Recent) Passed(t time.Duration, u int) int64 {
	return max(0, r.Sum(t, u, RecentTime)-r.Lost(t, u))
}

// Doubted counts a bare refusal that came at t, and returns how many did in RecentTime.
func (r *Recent) Doubted(t time.Duration) int64 {
	r.advance(t)
	r.bare[r.bin%recentBins]++
	var n int64
	for _, b := range r.bare {
		n += b
	}
	return n
}

// Lost is what was refused in RecentTime before t.
func (r *Recent) Lost(t time.Duration, u int) int64 {
	r.advance(t)
	var n int64
	for i := range r.refused {
		n += r.refused[i][u]
	}
	return n
}

// Best is the most requests that passed in RecentTime, lately: it fades in ten minutes.
func (r *Recent) Best(t time.Duration) float64 { return r.most * decay(t-r.mostAt, bestTime) }

// Absorb adds what another has seen lately. t and theirs are now, by either's start.
func (r *Recent) Absorb(other *Recent, t, theirs time.Duration) {
	r.advance(t)
	other.advance(theirs)
	for i := range min(recentBins, r.bin+1, other.bin+1) {
		a, b := (r.bin-i)%recentBins, (other.bin-i)%recentBins
		for u := range Units {
			r.sent[a][u] += other.sent[b][u]
			r.refused[a][u] += other.refused[b][u]
		}
		r.bare[a] += other.bare[b]
	}
	r.most, r.mostAt = r.Best(t)+other.Best(theirs), t
	r.Now.Absorb(&other.Now, t, theirs, PresentTime)
	r.quiet.Absorb(&other.quiet, t, theirs, SpikeTime)
}
