package limit

import (
	"math"
	"math/bits"
	"time"

	"outrigger/policy/limit/counts"
)

// How Slow Down is answered. OpenAI: "reduce your request rate to its original
// level, keep it for at least 15 minutes, then increase it gradually"; as a rule of
// thumb by no more than 50 % in 15 minutes (its guide to error codes, slow_down).
const (
	spikeHold   = 15 * time.Minute
	spikeGrowth = 1.5
	// spikeEnd is how far over the rate that was cut the ceiling is dropped.
	spikeEnd = 4
	// spikeShare is how little of the present rate the one before may have been for the
	// rise to be the spike; else nothing shows one, and half the present rate is used.
	spikeShare = 0.8
	// spikeLeast is how many requests more than chance the last second must have for it
	// to be the spike.
	spikeLeast = 10
)

// spike is the ceiling that Slow Down sets on requests. Times are offsets from the
// limiter's start. The zero value is none.
type spike struct {
	rate  float64 // requests per second while it is held
	until time.Duration
	acted time.Duration
	cut   float64 // the rate that was too high
	drain draining
}

// slowDown goes back to the rate before the spike, once until the hold is over. What
// is refused meanwhile only pauses everybody, for longer each time.
func (l *Limiter) slowDown(now time.Time, w *Waiter, hint time.Duration) {
	t := now.Sub(l.start)
	b := l.bucket(slotSpike)
	if b.active && t < l.spike.until {
		if w.admitted >= l.spike.acted {
			l.spike.refute()
			l.pause(now, hint)
		}
		return
	}
	present := l.recent.Now.Value(t, counts.PresentTime)
	if b.active {
		present = min(present, b.speed)
	}
	rate := present / 2
	second := float64(l.recent.Sum(t, counts.Requests, time.Second)) - spikeLeast
	if before := l.recent.Before(); before > 0 && before <= spikeShare*max(present, second) {
		rate = before
	}
	rate = max(rate, present/10, 1/maxHint.Seconds())
	l.spike = spike{rate: rate, until: t + spikeHold, acted: t, cut: present, drain: draining{most: mostMargin}}
	b.estimate.reset(rate, t)
	b.ahead, b.size = share(rate), share(rate)/burstShare
	if !b.active {
		b.source = SourceRefusals
		l.open(now, slotSpike, 0)
	}
	l.relax(now, t)
	b.lower(now, 0)
	l.ramp.Stop()
	if hint > 0 {
		l.hold(now, min(hint, maxHint))
	}
}

// relax lets the ceiling grow once the hold is over, and higher while a queue drains.
func (l *Limiter) relax(now time.Time, t time.Duration) {
	b := l.bucket(slotSpike)
	l.spike.adjust(t, l.queue.length)
	b.estimate.reset(min(l.spike.rate*l.spike.times(t)/pace, maxUnits), t)
	b.pressed = true
	b.tune(now, t)
}

// growth is how many times the ceiling is higher at t than when it was set.
func (s spike) growth(t time.Duration) float64 {
	return math.Pow(spikeGrowth, max(0, t-s.until).Seconds()/spikeHold.Seconds())
}

// A ceiling at exactly the old rate never drains the queue that a spike left behind:
// everybody would wait for as long as the last of it until the hold ends. So while a queue
// stands and no more than the old rate arrives, the ceiling is a margin higher. OpenAI
// allows 50 % more within 15 minutes (see spikeGrowth), and the margin stays under that.
const (
	// drainTime is the time in which the margin drains the queue, between leastMargin and
	// mostMargin. At leastMargin random arrivals at the old rate still wait for less than
	// a tenth of a second longer at 15 requests per second.
	drainTime   = 90 * time.Second
	leastMargin = 0.25
	mostMargin  = 0.45
	// spentTime bounds what the margin may add up to in one hold: the requests that the
	// old rate admits in this time, which is a fifth of the hold. A demand that lies over
	// the old rate for good gets no more than that.
	spentTime = spikeHold / 5
	// overShare is how many times the old rate may arrive for the spike to be over. What
	// arrives is averaged over calmTime, or over the time of calmCount requests.
	overShare = 1.25
	calmTime  = 3 * time.Second
	calmCount = 10
	// A burstShare-th of a second's requests may go at once after idleness. At an
	// even pace random arrivals at the old rate would wait for one another.
	burstShare = 2
)

// draining is how the queue that a spike left behind is drained. The zero value has no margin.
type draining struct {
	arrivals counts.Average
	admitted float64 // requests since the cut
	margin   float64 // as a share of the old rate, 0 while there is none
	most     float64 // the largest that it may be
}

// arrived counts a request that asks for the first time at t.
func (s *spike) arrived(t time.Duration) { s.drain.arrivals.Add(t, s.calmTime()) }

// calmTime is the time over which arrivals are averaged.
func (s *spike) calmTime() time.Duration { return max(calmTime, seconds(calmCount/s.rate)) }

// calm reports whether about the old rate arrives, or less. Right after the cut nobody
// knows.
func (s *spike) calm(t time.Duration) bool {
	return t-s.acted >= s.calmTime() && s.drain.arrivals.Value(t, s.calmTime()) <= overShare*s.rate
}

// adjust sets the margin for a queue of so many. Until the queue is gone it only grows,
// since one that shrank with the queue would leave a part of it for long.
func (s *spike) adjust(t time.Duration, queued int) {
	d := &s.drain
	switch {
	case queued == 0 || d.admitted > s.rate*(t-s.acted+spentTime).Seconds():
		d.margin = 0
	case s.calm(t):
		need := float64(queued) / (s.rate * drainTime.Seconds())
		d.margin = min(max(d.margin, need, leastMargin), d.most)
	default:
		d.margin = 0
	}
}

// refute halves what the margin may be, since a request that it admitted was told to
// slow down.
func (s *spike) refute() {
	if s.drain.margin > 0 {
		s.drain.most /= 2
		s.drain.margin = min(s.drain.margin, s.drain.most)
	}
}

// times is how many times the rate that was set the ceiling is at t.
func (s *spike) times(t time.Duration) float64 { return max(s.growth(t), 1+s.drain.margin) }

const (
	// firstPause is the wait after a refusal that is not about a limit and names no
	// wait; it doubles with each further one up to longestPause, until an answer.
	firstPause   = 250 * time.Millisecond
	longestPause = 8 * time.Second
	// longestDoubt is the most between tries while each is told to wait for longer
	// than is believed.
	longestDoubt = 10 * time.Minute
)

// hold lets nobody go for d.
func (l *Limiter) hold(now time.Time, d time.Duration) {
	if end := now.Add(d); end.After(l.gate) {
		l.gate = end
	}
}

// pause holds everybody for as long as a refusal asks that says nothing about the
// limit, and lets them out slowly afterwards.
func (l *Limiter) pause(now time.Time, hint time.Duration) {
	if hint == 0 {
		hint = min(firstPause<<min(l.streak, 16), longestPause)
	}
	if now.Before(l.gate) {
		// Others that were under way: one pause is enough.
		l.hold(now, min(hint, maxHint))
		return
	}
	l.streak++
	l.hold(now, min(hint, maxHint))
	l.ramp.Start(1)
}

// doubt takes in a wait of over a minute that nothing proves. One among many that pass
// is its own request's trouble: to wait for it would be an outage. Where several of the
// last requests met one, everybody is held for a minute and then a single one tries;
// twice as long each time that is told the same.
func (l *Limiter) doubt(now time.Time) {
	d := &l.doubts
	d.long |= d.long + 1
	if now.Before(l.gate) || bits.OnesCount16(d.long) < doubtLeast {
		return
	}
	l.hold(now, min(maxHint<<min(l.streak, 8), longestDoubt))
	l.streak++
	l.ramp.Try(max(coldStep, l.latency*5/4))
}

const (
	// firstGap is the least wait after the first refusal of all, when the estimate
	// is a guess.
	firstGap = 200 * time.Millisecond
	// shortGap and shortSteps: about a second is spent in short steps, since many
	// upstreams give out their limit by the second.
	shortGap   = 400 * time.Millisecond
	shortSteps = 2
	gapGrowth  = 3
	longestGap = 30 * time.Second
)

// backoff returns how long to wait after so many refusals in a row since the first,
// which waited gap.
func backoff(gap time.Duration, misses int) time.Duration {
	steps := 0
	for range misses {
		switch {
		case gap*gapGrowth < shortGap:
			gap *= gapGrowth
		case gap < shortGap:
			gap = shortGap
			steps++
		case steps < shortSteps:
			steps++
		default:
			gap = min(gap*gapGrowth, longestGap)
		}
		if gap >= longestGap {
			break
		}
	}
	return min(gap, longestGap)
}
