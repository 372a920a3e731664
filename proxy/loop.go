package proxy

import (
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/spool"
)

// Loop is what all calls share: the upstreams and what is known of them.
type Loop struct {
	config      Config
	total       policy.Operator // OUTRIGGER_TIMEOUT
	silent      policy.Operator // OUTRIGGER_STREAM_IDLE_TIMEOUT
	recorder    Recorder
	upstreams   []*lane
	homes       *homes // nil when all upstreams are one place
	bodies      *spool.Store
	credentials *credentials
	names       *namer
	failures    *failures
	decoding    chan struct{} // has one for each body that is being decoded
}

// random returns a number in [0, 1), for jitter.
func (*Loop) random() float64 { return mathrand.Float64() }

// Run is the attempt loop of one call.
type Run struct {
	*Loop
	*Call
	Life
	record Result
	host   // the caller's side

	request    *http.Request // as the caller sent it, made ready for any upstream
	candidates []*lane       // that may answer, in failover order
	facing                   // what holds for the present upstream
	spent      []*lane       // that the request was given up at
	hops       []string      // URLs that redirected the request
	account    credential    // the request's at the first upstream that was to be asked: whose it is
	affinity

	upstreamKey
	seat
	tally
	probing
	before
	setbacks setbacks
	repeat   repeating
	current  *attempt
	lease    lease // of current
	serving  serving
}

// host is the caller's side of a run.
type host interface {
	// extendWrite moves the deadline for writing to the caller.
	extendWrite()
	// withhold keeps what is written from now on until the answer is stored: it is its end.
	withhold()
	// attempted counts an attempt.
	attempted()
}

// seat is the run's place in the queues of the present upstream.
type seat struct {
	slots     [slotCount]slot // among the calls in flight, for the present attempt
	waitedAt  *slots          // whose queue it waited in last
	crowded   bool            // the last attempt was refused for too many calls at once
	place     *place          // in the present upstream's line
	first     place           // the first upstream's: most requests need no other
	predicted time.Duration   // the wait in that line, when it was entered
	gateUntil time.Time       // when the patience at an open breaker ends; zero outside of such a wait

	budgetSince time.Time // when a retry was first refused for want of budget; zero outside of such a wait
	lastChance  bool      // the next attempt is made although its scope's breaker is open, and is the last
}

// tally counts the attempts and says how the next one is to be made.
type tally struct {
	tries     int  // attempts at the present upstream
	retries   int  // repeats there that count
	connected bool // some attempt there had a connection
	doubted   int  // refusals that were not believed
	charged   bool // the next attempt is a retry that spends the budget
	repeated  bool // the one repeat of a Once verdict was made
	doubtful  bool // a create may have been carried out, and is repeated all the same
	http1     bool // the next attempt is made over HTTP/1.1
	stray     bool // the next attempt is not made over a kept connection
}

// probing tells whether the run is the one probe of a cached refusal.
type probing struct {
	probe       bool // of a tripped credential
	probeKey    tripKey
	streakProbe bool // that is a streak of refusals
}

// before is what the attempt before brought.
type before struct {
	last     *saved               // its answer, kept while another one is made
	lastLoss *Error               // the error that stands for it, if it brought no answer
	lastUp   *lane                // where it was made
	setback  policy.FailoverCause // what its failure stands for
}

// takePlace makes pl the request's place in an upstream's line, not yet entered.
func (x *Run) takePlace(at *facing, pl *place, now time.Time) {
	pl.take(at.up.lines.take(lineKey{at.credential, at.model}, at.sent != "", now), limit.Waiter{
		// At least one: what costs nothing would not wait when tokens have run out, but ask
		// again and again.
		Tokens:    max(1, x.facts.Tokens()),
		Images:    x.imagesAsked(),
		Deadline:  x.deadline,
		Unbounded: x.facts.MaxTokens == 0,
	})
	pl.taken = true
	at.up.tidying.need()
}

// close gives back all that the run still holds.
func (x *Run) close() {
	x.stopTimer()
	if x.waitedAt != nil && !x.announced && x.left() {
		now := time.Now()
		x.waitedAt.left(now, now.Sub(x.start))
	}
	if x.current != nil {
		x.current.finish(errFinished)
	}
	now := time.Now()
	x.place.leave(now)
	x.place.free(now)
	x.settleProbe()
	x.cancel(errFinished)
}

// finish ends the present attempt.
func (x *Run) finish() { x.current.finish(errFinished) }
