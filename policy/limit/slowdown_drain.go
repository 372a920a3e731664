package limit

import (
	"time"

	"outrigger/policy/limit/counts"
)

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
