package limit

import "time"

// The cold start: coldQuota requests at once, then in each step growth times as
// many as in the one before, spread over it.
const (
	coldQuota = 4
	// growth holds until an answer has come and while round trips are long,
	// heardGrowth afterwards.
	growth      = 2
	heardGrowth = 4
	// coldStep is how long silence must last to be taken as consent: a refusal comes
	// within a round trip, while an answer may take minutes.
	coldStep = 150 * time.Millisecond
	// maxStep bounds how far slow connections stretch a step.
	maxStep = time.Second
	// Where a step is no longer than it takes to hear of a refusal, all that follows the
	// first one is refused too. So it holds at most this part of those who want to go,
	// or of those who did, or leastQuota.
	wantShare  = 0.1
	provenPart = 0.25
	leastQuota = 16
	// nearAnswer is how long an answer may take to be mostly way and no work. The dial
	// tells nothing of that where connections end at an edge that passes requests on.
	nearAnswer = 300 * time.Millisecond
	// openQuota is from where on a ramp restrains nobody: 20,000 per second.
	openQuota = 3000
	// slack is how late a timer may be without costing the line its turn.
	slack = 20 * time.Millisecond
	// unsentMax is how long a step waits for word that anything of it was sent.
	unsentMax = 10 * time.Second
)

// ramp lets a burst out in growing steps for as long as nobody refuses. Times are
// offsets from the limiter's start. The zero value restrains nobody.
type ramp struct {
	on     bool
	slow   bool          // nothing is safe: it starts below coldQuota
	probe  bool          // one request, and after silence about it the buckets alone
	quota  int           // requests in this step
	used   int           // of them admitted
	run    int           // admitted in this burst, over all its steps
	proven int           // largest burst that met no refusal
	begun  time.Duration // when the step's first request was admitted
	sent   bool          // whether one of the step's requests was written to the wire,
	sentAt time.Duration // when the first one was,
	lastAt time.Duration // and when the latest one was
	slot   time.Duration // no admission before
	heldAt time.Duration // when it last held somebody up
	gap    time.Duration // between admissions; 0 in a burst's first step
	step   time.Duration // least length of a step
	dial   time.Duration // longest time from admission to the wire
	heard  bool          // whether any answer has come
	queued int           // who wait
	echo   time.Duration // how long it takes to hear of a refusal, as the quickest answer shows; 0 is unknown
}

// start begins anew with quota requests at once.
func (r *ramp) start(quota int) {
	*r = ramp{on: true, slow: quota < coldQuota, quota: quota, dial: r.dial, heard: r.heard, proven: r.proven, echo: r.echo}
	r.step = max(coldStep, min(max(r.dial*3/2, r.echo*5/4), maxStep))
}

// try lets a single request out, and the rest when silence about it has lasted
// for step.
func (r *ramp) try(step time.Duration) {
	*r = ramp{on: true, probe: true, quota: 1, dial: r.dial, heard: r.heard, step: step, echo: r.echo}
}

// stop ends the ramp; nothing is proven.
func (r *ramp) stop() { *r = ramp{dial: r.dial, heard: r.heard, echo: r.echo} }

// wait returns how long until one more may go, 0 for now. safe is how many may go
// at once in any case.
func (r *ramp) wait(t time.Duration, safe int) time.Duration {
	if !r.on {
		return 0
	}
	r.advance(t, safe)
	wait := max(0, r.slot-t)
	switch {
	case !r.on || r.used < r.quota:
	case r.gap == 0 && !r.probe && !r.slow && r.run < safe: // told after the step began
	case r.sent:
		wait = r.consent() - t
	default:
		// Soon: word that the step was sent lets the next go, and comes at any moment.
		// The guard for when it never comes, in advance, is no prediction.
		wait = max(r.step, coldStep)
	}
	if wait > 0 {
		r.heldAt = t
	}
	return wait
}

// consent is when silence about the step's requests is taken for consent: the first
// has been heard of, and the last one's round trip is over (a dial takes about two).
func (r *ramp) consent() time.Duration {
	return max(r.sentAt+r.step, r.lastAt+min(r.dial, maxStep)*5/8)
}

// advance goes to the next step once the present one has met with silence.
func (r *ramp) advance(t time.Duration, safe int) {
	if r.used == 0 {
		if !r.probe && !r.slow {
			r.quota = max(r.quota, safe)
		}
		return
	}
	silent := r.sent && t >= r.consent()
	if !silent && t < r.begun+unsentMax {
		return
	}
	// A step that held somebody up to its end was too small, if only by a timer that
	// was late; long afterwards the burst is over.
	full := (r.used >= r.quota || t-r.heldAt <= slack+r.gap) && t < r.consent()+r.step
	r.used, r.sent, r.slot = 0, false, t
	switch {
	case !silent:
	case r.probe:
		r.stop()
	case !full:
		r.proven = max(r.proven, r.run)
		r.slow, r.run, r.gap, r.quota = false, 0, 0, max(coldQuota, safe, r.proven)
	default:
		r.grow()
	}
}

// grow enlarges the next step.
func (r *ramp) grow() {
	if r.heard && r.step == coldStep {
		r.quota = int(float64(r.quota) * heardGrowth)
	} else {
		r.quota *= growth
	}
	r.quota = min(r.quota, r.most())
	r.gap = r.step / time.Duration(r.quota)
	if r.quota > openQuota {
		r.stop()
	}
}

// most is what the next step may hold. A refusal is heard of a dial and a round trip,
// which is half a dial, after its request was admitted. However long the way, a step
// holds one.
func (r *ramp) most() int {
	n := max(leastQuota, wantShare*float64(r.run+r.queued), provenPart*float64(r.run))
	return max(1, int(min(n*r.step.Seconds()/max(r.dial*3/2, r.echo, time.Millisecond).Seconds(), 2*openQuota)))
}

// answered counts an answer that came so long after its request was written, and how
// much of that the upstream says it worked, 0 if it does not. Silence means nothing
// before a refusal could have been heard of.
func (r *ramp) answered(took, worked time.Duration) {
	r.heard = true
	if took > nearAnswer {
		if worked == 0 || worked >= took {
			return
		}
		took -= worked
	}
	if took <= 0 {
		return
	}
	if r.echo == 0 || took < r.echo {
		r.echo = took
	}
	if r.on && !r.probe {
		r.step = max(r.step, min(r.echo*5/4, maxStep))
	}
}

// take counts one admission.
func (r *ramp) take(t time.Duration) {
	if !r.on {
		return
	}
	if r.used == 0 {
		r.begun = t
	}
	r.used++
	r.run++
	r.slot = max(r.slot, t-slack) + r.gap
}

// wrote counts one request written to the wire, so long after its admission. Most
// of that is the dial, two round trips or more; a step must hold three.
func (r *ramp) wrote(t, dial, connect time.Duration) {
	if connect > 0 { // a dial is two round trips, and connecting one
		dial = min(dial, 2*connect)
	}
	r.dial = max(r.dial, dial)
	if !r.probe {
		r.step = max(r.step, min(dial*3/2, maxStep))
	}
	if !r.on || r.used == 0 {
		return
	}
	if !r.sent {
		r.sent, r.sentAt = true, t
	}
	r.lastAt = t
}

// back takes an admission back that was never sent.
func (r *ramp) back() {
	if r.on && r.used > 0 {
		r.used--
		r.run--
	}
}
