package limit

import "time"

var growthHeard = 3.5

// The cold start. First coldQuota requests, then each step growth times as many,
// spread over the step.
const (
	coldQuota = 4
	growth    = 3
	// coldStep is how long silence must last to be taken as consent: a refusal comes
	// within a round trip, while an answer may take minutes.
	coldStep = 150 * time.Millisecond
	// maxStep bounds how far slow connections stretch a step.
	maxStep = time.Second
	// openQuota is from where on a ramp restrains nobody: 20,000 per second.
	openQuota = 3000
	// slack is how late a timer may be without costing the line its turn.
	slack = 20 * time.Millisecond
	// unsentMax is how long a step waits for word that anything of it was sent.
	unsentMax = 10 * time.Second
)

// ramp lets a burst out in growing steps for as long as nobody refuses. Times are
// offsets from the limiter's start.
type ramp struct {
	on     bool
	heard1 bool
	probe  bool          // one request only, and then the buckets alone
	quota  int           // requests in this step
	used   int           // of them admitted
	run    int           // admitted in this burst, over all its steps
	proven int           // largest burst that met no refusal
	begun  time.Duration // when the step's first request was admitted
	sent   bool          // whether one of the step's requests was written to the wire,
	sentAt time.Duration // and when the first one was
	lastAt time.Duration // when the latest one was
	dial   time.Duration // longest time from admission to the wire
	slot   time.Duration // no admission before
	gap    time.Duration // between admissions; 0 in a burst's first step
	step   time.Duration
}

// start begins anew with quota requests at once.
func (r *ramp) start(quota int) {
	*r = ramp{on: true, quota: quota, proven: r.proven, step: max(r.dial*3/2, coldStep), dial: r.dial, heard1: r.heard1}
}

// stop ends the ramp; nothing is proven.
func (r *ramp) stop() { *r = ramp{dial: r.dial, heard1: r.heard1} }

// wait returns how long until one more may go, 0 for now.
func (r *ramp) wait(t time.Duration, safe int) time.Duration {
	if !r.on {
		return 0
	}
	r.advance(t, safe)
	if r.used < r.quota {
		return max(0, r.slot-t)
	}
	if !r.sent {
		return max(r.step, r.begun+unsentMax-t)
	}
	return r.heard() - t
}

// heard is when silence about the step's requests is consent.
func (r *ramp) heard() time.Duration {
	return max(r.sentAt+r.step, r.lastAt+r.dial*5/8)
}

// advance goes to the next step once the present one has been met with silence.
func (r *ramp) advance(t time.Duration, safe int) {
	if r.used == 0 {
		r.quota = max(r.quota, safe)
		return
	}
	silent := r.sent && t >= r.heard()
	if !silent && t < r.begun+unsentMax {
		return
	}
	full := r.used >= r.quota
	r.used, r.sent, r.slot = 0, false, t
	if !silent {
		return
	}
	if !full {
		r.proven = max(r.proven, r.run)
		r.run, r.gap, r.quota = 0, 0, max(coldQuota, safe, r.proven)
		return
	}
	if r.probe {
		r.on = false
		return
	}
	if r.heard1 && r.step == coldStep {
		r.quota = int(float64(r.quota) * growthHeard)
	} else {
		r.quota *= 2
	}
	r.gap = r.step / time.Duration(r.quota)
	if r.quota > openQuota {
		r.on = false
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
// of that is the dial: two round trips or three, of which a step must hold as many.
func (r *ramp) wrote(t, dial time.Duration) {
	r.dial = min(max(r.dial, dial), maxStep)
	r.step = max(r.step, min(dial*3/2, maxStep))
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
		r.run = max(0, r.run-1)
	}
}
