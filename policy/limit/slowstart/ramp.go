// Package slowstart lets a burst out in growing steps while no limit is known.
//
// Silence is consent: a refusal comes within a round trip, an answer may take minutes. For
// example, of 400 requests at once 4 go at first. Nothing is heard of them for 150 ms, so 8
// follow, then 16, and four times as many in each step once any answer has come. A refusal
// ends it: what was let through in the last second is then the first guess of the rate.
//
// A step lasts at least three round trips, as the first dial shows them (a dial takes about
// two). What goes out until the first refusal can be heard of, all of which may be refused,
// is at most a tenth of those who want to go, or a quarter of those who went.
package slowstart

import "time"

// The cold start: ColdQuota requests at once, then in each step growth times as
// many as in the one before, spread over it.
const (
	ColdQuota = 4
	// growth holds until an answer has come and while round trips are long,
	// heardGrowth afterwards.
	growth      = 2
	heardGrowth = 4
	// ColdStep is how long silence must last to be taken as consent: a refusal comes
	// within a round trip, while an answer may take minutes.
	ColdStep = 150 * time.Millisecond
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
	// Slack is how late a timer may be without costing the line its turn.
	Slack = 20 * time.Millisecond
	// unsentMax is how long a step waits for word that anything of it was sent.
	unsentMax = 10 * time.Second
)

// Ramp lets a burst out in growing steps for as long as nobody refuses. Times are
// offsets from the limiter's start. The zero value restrains nobody.
type Ramp struct {
	On     bool
	slow   bool          // nothing is safe: it starts below ColdQuota
	Probe  bool          // one request, and after silence about it the buckets alone
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
	Step   time.Duration // least length of a step
	dial   time.Duration // longest time from admission to the wire
	heard  bool          // whether any answer has come
	Queued int           // who wait
	echo   time.Duration // how long it takes to hear of a refusal, as the quickest answer shows; 0 is unknown
}

// Start begins anew with quota requests at once.
func (r *Ramp) Start(quota int) {
	*r = Ramp{On: true, slow: quota < ColdQuota, quota: quota, dial: r.dial, heard: r.heard, proven: r.proven, echo: r.echo}
	r.Step = max(ColdStep, min(max(r.dial*3/2, r.echo*5/4), maxStep))
}

// Try lets a single request out, and the rest when silence about it has lasted
// for step.
func (r *Ramp) Try(step time.Duration) {
	*r = Ramp{On: true, Probe: true, quota: 1, dial: r.dial, heard: r.heard, Step: step, echo: r.echo}
}

// Stop ends the ramp; nothing is proven.
func (r *Ramp) Stop() { *r = Ramp{dial: r.dial, heard: r.heard, echo: r.echo} }

// Wait returns how long until one more may go, 0 for now. safe is how many may go
// at once in any case.
func (r *Ramp) Wait(t time.Duration, safe int) time.Duration {
	if !r.On {
		return 0
	}
	r.advance(t, safe)
	wait := max(0, r.slot-t)
	switch {
	case !r.On || r.used < r.quota:
	case r.gap == 0 && !r.Probe && !r.slow && r.run < safe: // told after the step began
	case r.sent:
		wait = r.consent() - t
	default:
		// Soon: word that the step was sent lets the next go, and comes at any moment.
		// The guard for when it never comes, in advance, is no prediction.
		wait = max(r.Step, ColdStep)
	}
	if wait > 0 {
		r.heldAt = t
	}
	return wait
}

// consent is when silence about the step's requests is taken for consent: the first
// has been heard of, and the last one's round trip is over (a dial takes about two).
func (r *Ramp) consent() time.Duration {
	return max(r.sentAt+r.Step, r.lastAt+min(r.dial, maxStep)*5/8)
}

// advance goes to the next step once the present one has met with silence.
func (r *Ramp) advance(t time.Duration, safe int) {
	if r.used == 0 {
		if !r.Probe && !r.slow {
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
	full := (r.used >= r.quota || t-r.heldAt <= Slack+r.gap) && t < r.consent()+r.Step
	r.used, r.sent, r.slot = 0, false, t
	switch {
	case !silent:
	case r.Probe:
		r.Stop()
	case !full:
		r.proven = max(r.proven, r.run)
		r.slow, r.run, r.gap, r.quota = false, 0, 0, max(ColdQuota, safe, r.proven)
	default:
		r.grow()
	}
}

// grow enlarges the next step.
func (r *Ramp) grow() {
	if r.heard && r.Step == ColdStep {
		r.quota = int(float64(r.quota) * heardGrowth)
	} else {
		r.quota *= growth
	}
	r.quota = min(r.quota, r.most())
	r.gap = r.Step / time.Duration(r.quota)
	if r.quota > openQuota {
		r.Stop()
	}
}

// most is what the next step may hold. A refusal is heard of a dial and a round trip,
// which is half a dial, after its request was admitted. However long the way, a step
// holds one.
func (r *Ramp) most() int {
	n := max(leastQuota, wantShare*float64(r.run+r.Queued), provenPart*float64(r.run))
	return max(1, int(min(n*r.Step.Seconds()/max(r.dial*3/2, r.echo, time.Millisecond).Seconds(), 2*openQuota)))
}

// Answered counts an answer that came so long after its request was written, and how
// much of that the upstream says it worked, 0 if it does not. Silence means nothing
// before a refusal could have been heard of.
func (r *Ramp) Answered(took, worked time.Duration) {
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
	if r.On && !r.Probe {
		r.Step = max(r.Step, min(r.echo*5/4, maxStep))
	}
}

// Quota returns how many requests may go in one step, and how long that is, for others who
// start slowly with this one; 0 if nothing is restrained.
func (r *Ramp) Quota(t time.Duration, safe int) (int, time.Duration) {
	r.Wait(t, safe)
	if !r.On {
		return 0, 0
	}
	return r.quota, max(r.Step, r.consent()-r.sentAt)
}

// HeldUp says that somebody waits at t because others use up the step.
func (r *Ramp) HeldUp(t time.Duration) { r.heldAt = t }

// Take counts one admission.
func (r *Ramp) Take(t time.Duration) {
	if !r.On {
		return
	}
	if r.used == 0 {
		r.begun = t
	}
	r.used++
	r.run++
	r.slot = max(r.slot, t-Slack) + r.gap
}

// Wrote counts one request written to the wire, so long after its admission. Most
// of that is the dial, two round trips or more; a step must hold three.
func (r *Ramp) Wrote(t, dial, connect time.Duration) {
	if connect > 0 { // a dial is two round trips, and connecting one
		dial = min(dial, 2*connect)
	}
	r.dial = max(r.dial, dial)
	if !r.Probe {
		r.Step = max(r.Step, min(dial*3/2, maxStep))
	}
	if !r.On || r.used == 0 {
		return
	}
	if !r.sent {
		r.sent, r.sentAt = true, t
	}
	r.lastAt = t
}

// Back takes an admission back that was never sent.
func (r *Ramp) Back() {
	if r.On && r.used > 0 {
		r.used--
		r.run--
	}
}

// Untried reports whether no more went at once than a new ramp lets go.
func (r *Ramp) Untried() bool {
	return r.On && !r.Probe && !r.slow && max(r.quota, r.run, r.proven) <= ColdQuota
}

// Absorb takes over what another knows of the same way to the upstream.
func (r *Ramp) Absorb(other *Ramp) {
	r.dial, r.heard = max(r.dial, other.dial), r.heard || other.heard
}

// Follow takes another's times, of the same way, in place of its own.
func (r *Ramp) Follow(other *Ramp) { r.dial, r.echo = other.dial, other.echo }
