package limit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	simmeter "outrigger/internal/sim/meter"
	"outrigger/internal/sim/oracle"
)

// enforcing is how a case's limits are held.
type enforcing string

const (
	byBucket  enforcing = "bucket"  // fills continuously, holds some seconds' worth
	byMinute  enforcing = "minute"  // fills continuously, holds all of it
	bySeconds enforcing = "seconds" // shares of a second, unused ones expire
	byTens    enforcing = "tens"    // shares of ten seconds
	byClock   enforcing = "clock"   // all of it when a minute of the clock begins
)

var allEnforcing = []enforcing{byBucket, byMinute, bySeconds, byTens, byClock}

// counted is what a case's limits count.
type counted string

const (
	byRequests counted = "requests"
	byTokens   counted = "tokens"
	byBoth     counted = "both"
)

// randomCase is an upstream, a way to it and a load, all drawn from one seed.
type randomCase struct {
	seed     uint64
	enforce  enforcing
	says     telling
	counts   counted
	limit    simmeter.Limit
	rate     float64 // requests of mean size per second
	network  string
	scale    float64 // real tokens per estimated one
	start    time.Time
	load     load
	jobs     []*job
	settings Settings
}

func (c *randomCase) String() string {
	return fmt.Sprintf("seed %d: %s, %s, %s%s, %+v, %s, scale %.2f, %d jobs %s over %v, %s sizes, patient %.1f, leaving %.1f",
		c.seed, c.enforce, c.says, c.counts, map[bool]string{true: ", counting"}[c.limit.CountRefusals], c.limit, c.network, c.scale,
		c.load.n, c.load.shape, c.load.span, c.load.sizes, c.load.patient, c.load.leave)
}

// ways are the networks of the cases, by name.
var ways = map[string]network{
	"near": near, "jittery": jittery, "far": far, "far, dialling": farDials,
	"middling": {rtt: 20 * time.Millisecond, jitter: 10 * time.Millisecond, dials: true},
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// drawCase draws the case of a seed, of a given enforcement and telling unless these
// are "".
func drawCase(seed uint64, enforce enforcing, says telling) *randomCase {
	r := rand.New(rand.NewPCG(seed, 1))
	c := &randomCase{seed: seed, scale: 1, settings: learning}
	c.enforce, c.says = pick(r, allEnforcing...), pick(r, allTellings...)
	if enforce != "" {
		c.enforce, c.says = enforce, says
	}
	c.counts = pick(r, byRequests, byRequests, byTokens, byBoth)
	c.limit.CountRefusals = r.IntN(2) == 0
	c.network = pick(r, "near", "jittery", "jittery", "middling", "far", "far, dialling")
	rate := pick(r, 2.0, 5, 10, 20, 50)
	per := pick(r, 100, 1000)
	if c.counts != byTokens {
		c.limit.RPM = int(60 * rate)
	}
	if c.counts != byRequests {
		c.limit.TPM = int(60 * rate * float64(per))
	}
	if c.counts == byBoth {
		c.limit.TPM = int(float64(c.limit.TPM) * pick(r, 0.7, 1, 2))
	}
	if c.counts != byRequests && r.IntN(4) == 0 {
		c.scale = pick(r, 0.4, 0.7)
	}
	seconds := 10 + 50*r.Float64() // of the limit
	switch c.enforce {
	case byBucket:
		c.limit.Burst = pick(r, time.Second, 2*time.Second, 5*time.Second, 15*time.Second)
	case bySeconds:
		c.limit.Enforce = simmeter.Quanta
	case byTens:
		c.limit.Enforce, c.limit.Quantum = simmeter.Quanta, 10*time.Second
	case byClock:
		c.limit.Enforce = simmeter.Window
		seconds *= 3
	case byMinute:
		seconds *= 2
	}
	c.rate = rate
	c.start = origin.Add(time.Duration(r.Int64N(int64(time.Minute))))
	c.load = load{
		n: max(1, min(int(rate*seconds), 1500)), tokens: per, most: max(1, c.limit.TPM/4),
		shape: pick(r, atOnce, atOnce, bursts, evenly, poisson, blend),
		sizes: pick(r, equal, mixed, heavy), patient: 1,
		takes: pick(r, 50*time.Millisecond, 2*time.Second, 20*time.Second), longTakes: r.IntN(3) == 0,
	}
	if c.limit.TPM == 0 {
		c.load.most = 1 << 20
	}
	took := c.took()
	c.load.span = time.Duration(float64(took) * (0.2 + 1.3*r.Float64()))
	if r.IntN(2) == 0 {
		c.load.patient, c.load.patience = 0.7, took/2+time.Second
	}
	if r.IntN(3) == 0 {
		c.load.leave, c.load.patience = 0.2, took/2+time.Second
	}
	c.jobs = c.load.draw(r, c.start)
	return c
}

// drawCalm is drawCase with a third of what the limits permit, in a steady stream, of
// requests that are no larger than a bucket.
func drawCalm(seed uint64) *randomCase {
	c := drawCase(seed, "", "")
	r := rand.New(rand.NewPCG(seed, 4))
	c.load.shape, c.load.sizes = pick(r, evenly, poisson), pick(r, equal, mixed)
	c.load.span = c.took() * 3
	c.jobs = c.load.draw(r, c.start)
	return c
}

// drawConfigured is drawCase with the limits configured, and silence about them.
func drawConfigured(seed uint64) *randomCase {
	c := drawCase(seed, "", "")
	c.says, c.settings.RPM = tellsNothing, c.limit.RPM
	if c.scale == 1 {
		c.settings.TPM = c.limit.TPM
	} else {
		c.settings.TPM = int(float64(c.limit.TPM) / c.scale)
	}
	return c
}

// drawDay draws a day's limit shortly before midnight UTC, when all of it is there again,
// and requests that come until as long after it.
func drawDay(seed uint64) *randomCase {
	r := rand.New(rand.NewPCG(seed, 5))
	c := &randomCase{seed: seed, scale: 1, settings: learning, enforce: "midnight", counts: byRequests}
	c.says, c.network = pick(r, allTellings...), pick(r, "near", "jittery", "middling", "far")
	c.limit.RPD, c.limit.Enforce, c.limit.CountRefusals = 20+r.IntN(200), simmeter.Window, r.IntN(2) == 0
	before := time.Duration(r.Float64() * float64(40*time.Minute))
	c.start = origin.Add(12*time.Hour - before)
	c.load = load{
		n: int(float64(c.limit.RPD) * (1 + r.Float64())), span: 2*before + time.Minute, shape: pick(r, bursts, evenly, poisson, blend),
		sizes: equal, tokens: 10, most: 10, patient: pick(r, 1, 0.5), patience: 20 * time.Minute, takes: time.Second,
	}
	c.jobs = c.load.draw(r, c.start)
	early := 0
	for early < len(c.jobs) && c.jobs[early].at < before {
		early++
	}
	// What today's limit leaves over must fit into tomorrow's.
	c.jobs = c.jobs[:min(len(c.jobs), c.limit.RPD+min(early, c.limit.RPD))]
	return c
}

// took is the time in which the limits let the case's load through, or so.
func (c *randomCase) took() time.Duration {
	return time.Duration(float64(c.load.n) / c.rate * float64(time.Second))
}

// fate is what became of one job, in times from the case's start; -1 is never.
type fate struct {
	job      *job
	due      time.Duration // its deadline, 0 is none
	admitted time.Duration // first
	let      time.Duration // through, by the upstream
	over     time.Duration // turned away or left
	turned   bool          // away
	admits   []time.Duration
	refused  int
	best     time.Duration // when the oracle had it let through
}

// played is what became of a case.
type played struct {
	*randomCase
	limiter *Limiter
	fates   []*fate
	result  result
	told    time.Duration   // when the limits were known from headers, 0 is never
	late    int             // refused that were admitted afterwards
	sent    []time.Duration // all admissions of which something was sent
	last    time.Duration
	best    time.Duration // when the oracle had the last of those that were let through
	lag     time.Duration // the most that one was let through after the oracle's
}

// knows reports whether headers have told the case's limits.
func (c *randomCase) knows(l *Limiter) bool {
	for s, limit := range map[slot]int{slotRequests: c.limit.RPM, slotTokens: c.limit.TPM} {
		if b := l.bucket(s); limit > 0 && (b.source != SourceHeader || b.window != time.Minute) {
			return false
		}
	}
	return true
}

// play plays the case.
func (c *randomCase) play() *played {
	m := simmeter.New([]simmeter.Limit{c.limit})
	up := &upstream{metered: metered(m, c.says, c.scale)}
	s := newSimulation(c.seed, c.settings, ways[c.network], up)
	s.now, s.limiter = c.start, New(c.settings, c.start)
	s.backoff = func(n int) time.Duration { return s.jitter(min(500*time.Millisecond<<min(n, 8), 8*time.Second)) }
	p := &played{randomCase: c, limiter: s.limiter}
	fates := map[*job]*fate{}
	for _, j := range c.jobs {
		f := &fate{job: j, admitted: -1, let: -1, over: -1}
		if !j.Deadline.IsZero() {
			f.due = j.Deadline.Sub(c.start)
		}
		fates[j], p.fates = f, append(p.fates, f)
	}
	s.happens = func(what happening, now time.Time, j *job) {
		f, t := fates[j], now.Sub(c.start)
		switch what {
		case admitted:
			f.admits = append(f.admits, t)
			if f.admitted < 0 {
				f.admitted = t
			}
			if p.told == 0 && c.knows(s.limiter) {
				p.told = t
			}
		case let:
			f.let = t
			p.sent = append(p.sent, f.admits[len(f.admits)-1])
		case refused:
			f.refused++
			if p.told > 0 && f.admits[len(f.admits)-1] > p.told {
				p.late++
			}
			p.sent = append(p.sent, f.admits[len(f.admits)-1])
		case turnedAway:
			f.over, f.turned = t, true
		case left:
			f.over = t
		}
	}
	p.result = s.run(c.jobs, 0)
	slices.Sort(p.sent)
	o := oracle.New(c.limit, c.start)
	for _, f := range p.fates {
		if f.let < 0 {
			continue
		}
		f.best = o.Next(c.start.Add(f.job.at), costOf(&f.job.Waiter, c.scale)).Sub(c.start)
		p.best, p.last, p.lag = max(p.best, f.best), max(p.last, f.let), max(p.lag, f.let-f.best)
	}
	return p
}
