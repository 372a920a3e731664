package limit

import (
	"time"

	"outrigger/policy/limit/counts"
	"outrigger/policy/limit/slowstart"
)

// coldQuota, coldStep and slack are the slow start's.
const (
	coldQuota = slowstart.ColdQuota
	coldStep  = slowstart.ColdStep
	slack     = slowstart.Slack
)

// recentTime is how far back what was sent and refused is counted.
const recentTime = counts.RecentTime

// Limiter admits the requests of one (upstream, credential, model). It is not safe
// for concurrent use: the caller locks. It never waits, reads a clock or starts
// anything; a time before the latest one it saw counts as that one.
type Limiter struct {
	set       Settings
	start     time.Time
	last      time.Time
	queue     queue
	opened    [slots]*bucket // those that something was learned for; see bucket and at
	active    []slot         // those of them that are in use
	flows     [slots]bool    // which refill continuously, of those that are not there yet
	ramp      slowstart.Ramp
	gate      time.Time         // nobody goes before
	allowed   *[slots]allowance // nil while nothing told what is left
	bounded   time.Time         // the last of those is over
	recent    counts.Recent
	history   counts.History
	spike     spike
	doubts    doubt
	chances   chance
	outliers  [slots]outlier
	latency   time.Duration // how long refusals take
	tight     time.Duration // until then no burst over a second's share is tried
	streak    int           // refusals since the last answer that hold everybody
	slowed    bool          // some may have become too late since Expel looked
	expel     time.Time     // Expel does not look before
	overtaken time.Time     // when Expel looks for those whom others passed; zero is never
	closing   time.Time     // nothing is let through after it; zero is never
	taken     [units]int64  // admitted so far
	sent      [units]int64  // written to the wire so far
	refused   [units]int64  // refused so far
	counts    Counters
	merged    bool                // it goes on for others, too
	legacies  map[*Limiter]legacy // those that it absorbed
	lease     *leasing            // nil if it shares its limits with no other process
	lastTold  *[slots]lastNews    // nil while nothing was told, see News
}

// New returns a limiter that nobody has used.
func New(s Settings, now time.Time) *Limiter {
	l := &Limiter{set: s, start: now, last: now, active: make([]slot, 0, slots)}
	l.configure(now, slotRequests, s.RPM)
	l.configure(now, slotTokens, s.TPM)
	if s.Learn && len(l.active) == 0 {
		l.ramp.Start(coldQuota)
	}
	return l
}

// configure opens the account of a limit that the operator knows.
func (l *Limiter) configure(now time.Time, s slot, limit int) {
	if limit > 0 {
		n := float64(min(limit, maxUnits))
		l.bucket(s).ceiling = n / 60
		l.bucket(s).sure = true
		l.limits(now, s, n, time.Minute, SourceConfigured)
	}
}

// open puts a bucket to use, with a level in thousandths.
func (l *Limiter) open(now time.Time, s slot, level float64) {
	b := l.bucket(s)
	b.estimate.unit = l.mean(s)
	if l.lease != nil {
		b.parts = float64(l.lease.apart)
	}
	l.measure(s)
	l.active = append(l.active, s)
	b.open(now, now.Sub(l.start), level)
}

// mean is what a request has cost in a slot on average, at least 1.
func (l *Limiter) mean(s slot) float64 {
	return max(1, l.scale(s)*float64(l.taken[s.counts()])/float64(max(1, l.taken[unitRequest])))
}

// drop forgets a bucket.
func (l *Limiter) drop(s slot) {
	for i, a := range l.active {
		if a == s {
			l.active = append(l.active[:i], l.active[i+1:]...)
			break
		}
	}
	l.shut(s)
}

// tick returns now, or the latest time seen if now lies before it.
func (l *Limiter) tick(now time.Time) time.Time {
	if now.Before(l.last) {
		return l.last
	}
	l.last = now
	return now
}

// Enter asks for w to be let through: Admitted at once, or Queued, or turned away
// with the predicted wait. After Queued call Release, which tells when to call again.
// A Waiter that was admitted and never sent gives that permit back first.
func (l *Limiter) Enter(now time.Time, w *Waiter) Decision {
	now = l.tick(now)
	l.adopt(w)
	if w.queued() {
		return Decision{Reason: Queued, Wait: l.predict(now, w)}
	}
	l.undo(now, w)
	w.until = w.Deadline
	if l.set.QueueTimeout > 0 {
		if end := now.Add(l.set.QueueTimeout); w.until.IsZero() || end.Before(w.until) {
			w.until = end
		}
	}
	if l.neverFits(w) {
		return Decision{Reason: NeverFits}
	}
	if !w.Deadline.IsZero() && !now.Before(w.Deadline) {
		return Decision{Reason: TooLate}
	}
	if wait := l.barred(now, w); wait > 0 {
		return Decision{Reason: Barred, Wait: wait}
	}
	l.room(now, w)
	fresh := l.queue.arrive(w, l.arrival(now))
	if fresh && l.at(slotSpike).active {
		l.spike.arrived(now.Sub(l.start))
	}
	if l.queue.length == 0 {
		l.loosen(now)
		if l.wait(now, w) == 0 {
			l.admit(now, w)
			return Decision{}
		}
	}
	predicted := l.predict(now, w)
	if l.set.QueueMax > 0 && l.queue.waiting.From(w.Priority) >= l.set.QueueMax {
		return Decision{Reason: QueueFull, Wait: predicted}
	}
	if w.outlasts(now, predicted) {
		return Decision{Reason: TooLate, Wait: predicted}
	}
	if l.closes(now, predicted) {
		return Decision{Reason: Closing, Wait: predicted}
	}
	l.queue.join(w, fresh)
	l.overtake(now, w)
	return Decision{Reason: Queued, Wait: predicted}
}

// adopt makes a Waiter that another limiter had this one's. It keeps the place that its
// arrival gives it.
func (l *Limiter) adopt(w *Waiter) {
	l.follow(w)
	if w.owner != l {
		w.owner, w.state, w.probing, w.disbelief = l, stateIdle, false, false
		w.passed, w.passedCost = 0, 0
	}
}

// arrival numbers a moment in the same way for all limiters, so that those who come
// from one queue into another stand in order.
func (l *Limiter) arrival(now time.Time) uint64 {
	return uint64(l.start.UnixNano() + int64(now.Sub(l.start)))
}

// Leave ends w's wait, or gives back the permit of one that was admitted and never
// sent. For any other it does nothing.
func (l *Limiter) Leave(now time.Time, w *Waiter) {
	l.follow(w)
	if w.owner != l {
		return
	}
	now = l.tick(now)
	l.queue.remove(w)
	l.undo(now, w)
}

// undo gives back what a waiter that was not sent was charged.
func (l *Limiter) undo(now time.Time, w *Waiter) {
	if w.state == stateAdmitted {
		for u := range units {
			l.taken[u] -= w.cost(u)
		}
		for _, s := range l.active {
			l.bucket(s).give(now, w.charge[s])
			l.bucket(s).windows.give(now.Sub(l.start), w.charge[s])
		}
		l.unspend(now, w)
		if l.lease != nil {
			l.leaseBack(w)
		}
		l.ramp.Back()
	}
	w.state = stateIdle
}

// Buckets are most of a limiter's size, and callers can make up credentials and models as
// they like. So a bucket is there from when something is learned for it.

// bare stands for each bucket of which nothing is known. It is never written to.
var bare bucket

// at returns the bucket of a slot to read from.
func (l *Limiter) at(s slot) *bucket {
	if b := l.opened[s]; b != nil {
		return b
	}
	return &bare
}

// bucket returns the bucket of a slot to write to.
func (l *Limiter) bucket(s slot) *bucket {
	if l.opened[s] == nil {
		l.opened[s] = &bucket{}
		l.opened[s].reading.continuous = l.flows[s]
	}
	return l.opened[s]
}

// shut forgets all of a bucket but how it charges.
func (l *Limiter) shut(s slot) {
	l.flows[s] = false
	b := l.opened[s]
	if b == nil {
		return
	}
	if *b = (bucket{tariff: b.tariff}); b.tariff == (tariff{}) {
		l.opened[s] = nil
	}
}

// continuous notes whether a slot refills continuously, of which nothing else may be known.
func (l *Limiter) continuous(s slot, is bool) {
	if b := l.opened[s]; b != nil {
		b.reading.continuous = is
		return
	}
	l.flows[s] = is
}
