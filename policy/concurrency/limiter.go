package concurrency

import (
	"math"
	"time"
)

// Unlimited is what Allowed returns while no limit is known.
const Unlimited = math.MaxInt

// The three sizes of the limit: the least that it may fall to, the size of the first
// probe over it, and the most that it is followed to.
const (
	floor     = 1
	probeSize = 1
	ceiling   = 1_000_000
)

const (
	// firstGap is the time from a refusal to the first probe; each probe that is refused
	// doubles it up to maxGap, which keeps the cost of a limit that stays at three
	// refusals a minute.
	firstGap = 500 * time.Millisecond
	maxGap   = 20 * time.Second
	// minConsent is the least silence that is taken for consent: a round trip on one
	// continent, and twice the time that a busy machine takes to pass a refusal on.
	minConsent = 100 * time.Millisecond
	maxConsent = 10 * time.Second
	// fullFor is for how long an upstream is believed to be full without us. Others' calls end
	// sooner; what is refused for longer is something that does not clear.
	fullFor = time.Minute
	// keep is how long a limit is remembered without any refusal.
	keep = 15 * time.Minute
	// waryFor is how long a dropped limit makes the next one harder to believe.
	waryFor = 10 * time.Minute
	// mostWary bounds the number of refusals in a row that are asked for.
	mostWary = 64
	// A limit is dropped once contradictions outweigh: each weighs ten times as much as a
	// call that is accepted, and two must be left over. So chance drops it where it refuses
	// one call in ten or more; where it refuses less, probes pass it soon enough, and a
	// limit that is real is not lost by a few refusals of another kind.
	contradictionWeight = 10
	contradictionsLeast = 2 * contradictionWeight
	// Refusals come in the order of sending, but for a quarter of the time that one takes
	// and 5 ms: ways differ, and busy machines are late.
	disorder     = 4
	disorderTime = 5 * time.Millisecond
	// provenFor is how long an accepted call contradicts a later refusal: limits change.
	provenFor = time.Minute
)

// Call is one call from Start to End or Refused. The zero value is ready; it must not be
// copied in between, and may be used again afterwards.
type Call struct {
	next, prev *Call
	sent       time.Time
	others     int // that were running when it was sent
	refusals   int // that had come by then
	blur       int // of the others, how many may have ended before it arrived
	probe      bool
	running    bool
}

// Limiter learns the limit of one upstream, or of one credential and model there. The
// zero value is ready and knows no limit. Not safe for concurrent use.
type Limiter struct {
	limit   int // 0 is none
	source  Evidence
	running int
	others  int       // that run for other processes which share the limit
	shared  bool      // it is: what is a probe is told then
	probes  int       // that may be sent, of a limit that is shared
	since   time.Time // when the limit was found
	newest  *Call     // of the running ones; linked by prev in the order of sending

	refusals  int           // so far
	took      time.Duration // the longest that a refusal took lately
	last      time.Time     // the last one
	proven    int           // most that ran at once, a call sent since then among them, as ended calls show
	provenAt  time.Time
	consent   time.Duration // silence that shows that a call was accepted
	doubts    int           // contradictions, weighed against accepted calls
	fellFrom  int           // the limit before refusals in a row lowered it, none being accepted in between
	agreed    int           // refusals in a row that a limit explains
	wary      int           // how many of them are wanted before a limit is believed; 0 is one
	waryTill  time.Time
	deafTill  time.Time // bare refusals are about something else
	trial     bool      // the limit rests on bare refusals, and no call was accepted since
	fullSince time.Time // refused since, while nothing of ours runs; zero if something was accepted
	held      time.Time // nobody goes before: the upstream is full without us
	heldGap   time.Duration

	step    int // size of the next probe
	gap     time.Duration
	gapAt   int // the limit when gap was set
	probeAt time.Time
	probed  time.Time // when the last call of the present probe was sent; zero if none was
	reached int       // how many ran with it

	minute accepted
	whole  Mean // from Start to End of accepted calls
}

// Allowed returns how many calls may run at once, Unlimited if no limit is known. While
// a probe is due it is more than the limit.
func (l *Limiter) Allowed(now time.Time) int {
	l.settle(now)
	switch {
	case l.limit == 0:
		return Unlimited
	case now.Before(l.held):
		return 0
	case l.trial && l.tried():
		return min(l.limit, l.running+l.others)
	case l.trial:
		return min(l.limit, l.running+l.others+1)
	case now.Before(l.probeAt):
		return l.limit
	}
	return l.limit + l.step
}

// tried reports whether a call was sent since the last refusal and is still running.
func (l *Limiter) tried() bool { return l.newest != nil && l.newest.refusals == l.refusals }

// Next returns when Allowed may return more without a call of any other method: zero if
// no limit is known, and a time past if it does already.
func (l *Limiter) Next(now time.Time) time.Time {
	l.settle(now)
	switch {
	case l.limit == 0:
		return time.Time{}
	case now.Before(l.held):
		return l.held
	case l.trial && l.tried():
		return l.newest.sent.Add(l.consent)
	case !l.probed.IsZero():
		return l.probed.Add(l.consent)
	}
	return l.probeAt
}

// Start tells that c is sent.
func (l *Limiter) Start(now time.Time, c *Call) {
	l.settle(now)
	*c = Call{sent: now, others: l.running + l.others, refusals: l.refusals, running: true, prev: l.newest}
	if l.newest != nil {
		l.newest.next = c
	}
	l.newest = c
	switch {
	case l.limit == 0:
	case l.shared && l.probes > 0:
		l.probes--
		c.probe = true
		l.probed, l.reached = now, max(l.limit, l.reached)+1
	case !l.shared && l.running >= l.limit:
		c.probe = true
		if l.running+1 > l.reached { // those that take the place of one that ended show no more
			l.probed, l.reached = now, l.running+1
		}
	}
	l.running++
}

// End tells that c is over: it was answered, and accepted says that the answer shows
// that it was carried out, or it failed in a way that says nothing about concurrency.
// After Refused, or a second time, it does nothing.
func (l *Limiter) End(now time.Time, c *Call, accepted bool) {
	if !c.running {
		return
	}
	l.remove(c)
	l.blurred(now)
	if !accepted {
		return
	}
	l.minute.add(now)
	l.whole.Add(now.Sub(c.sent))
	l.doubts = max(l.doubts-1, 0)
	if c.refusals == l.refusals {
		l.accepted(now, c.others+1-c.blur)
	}
}

// blurred takes in that a call which has just ended may have ended at the upstream before
// those that were sent within the last round trip arrived there.
func (l *Limiter) blurred(now time.Time) {
	since := now.Add(-l.took - l.took/disorder)
	for c := l.newest; c != nil && c.sent.After(since); c = c.prev {
		c.blur++
	}
}

// accepted takes in that a call which was sent since the last refusal was accepted, and
// how many that proves to run at once.
func (l *Limiter) accepted(now time.Time, proven int) {
	l.trial, l.fellFrom, l.heldGap, l.fullSince = false, 0, 0, time.Time{}
	if proven > l.proven || now.Sub(l.provenAt) > provenFor {
		l.proven, l.provenAt = proven, now
	}
}

// settle takes silence about a call for consent, and forgets what is old.
func (l *Limiter) settle(now time.Time) {
	if l.limit == 0 {
		return
	}
	if now.Sub(l.last) >= keep {
		l.limit = 0
		l.forget()
		return
	}
	if l.tried() && now.Sub(l.newest.sent) >= l.consent {
		l.trial, l.fellFrom, l.heldGap, l.fullSince = false, 0, 0, time.Time{}
	}
	if l.probed.IsZero() || now.Sub(l.probed) < l.consent {
		return
	}
	l.limit = min(max(l.limit, l.reached), ceiling)
	l.step = min(2*l.step, l.limit)
	l.gap, l.gapAt, l.probeAt = firstGap, l.limit, now
	l.probed, l.reached = time.Time{}, 0
}

// remove takes c out of the running ones.
func (l *Limiter) remove(c *Call) {
	if c.prev != nil {
		c.prev.next = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.newest = c.prev
	}
	c.next, c.prev, c.running = nil, nil, false
	l.running--
}
