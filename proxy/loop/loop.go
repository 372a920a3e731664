// Package loop is the attempt loop of one call: it waits, sends, judges, and then returns
// the answer, retries, or fails over.
//
// Its center is Run, whose RoundTrip is the loop. Loop is what all runs share: the
// upstreams and the settings. What to do after an attempt is decided by policy.Retry and
// policy.Failover; this package carries it out.
//
// # Commit point
//
// RoundTrip returning is the commit point. Before it, nothing was written to the caller
// and an attempt may be repeated. After it, bytes are only forwarded: package stream
// watches them.
//
// # Why the breaker's wait comes before the limiter's
//
// If a request waited at an open breaker with a permit of the limiter, all such permits
// would be used when the breaker closes: a burst over the limit. If it waited for the
// limiter with the breaker's permit, it would hold up all probes. So a request waits at
// the gate without either, then in the queue, and takes the breaker's permit last.
//
// # Failover
//
// A request is at one upstream at a time. Prepared is the request prepared for that one, and
// move is the only way to another. A request does not return to an upstream that it left
// for a failure; it may return to one that it left for an open breaker. Each thing is
// counted at the upstream where it happened. Pin binds a request to the one upstream that
// can answer it.
//
// The last answer that arrived whole is kept while another attempt is made. If that
// attempt cannot be made, the caller gets the kept answer, byte for byte.
package loop

import (
	"cmp"
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/affinity"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/batches"
	"outrigger/proxy/call"
	"outrigger/proxy/carrier"
	"outrigger/proxy/lane"
	"outrigger/proxy/negative"
	"outrigger/proxy/observe"
	"outrigger/proxy/response"
	"outrigger/proxy/settings"
	"outrigger/proxy/spool"
	"outrigger/proxy/stream"
)

// Loop is what all calls share: the upstreams and what is known of them.
type Loop struct {
	Config      settings.Config
	Total       policy.Operator // OUTRIGGER_TIMEOUT
	Silent      policy.Operator // OUTRIGGER_STREAM_IDLE_TIMEOUT
	Recorder    observe.Recorder
	Tracer      observe.Tracer       // one of Recorder's; nil when requests are not traced
	Upstreams   []*lane.Lane         // in failover order
	Homes       *affinity.Homes      // nil when all upstreams are one place
	Bodies      *spool.Store         // its memory holds the beginnings of answers too
	Credentials *carrier.Credentials // names who pays and who calls
	Names       *call.Namer          // names calls that are the same
	Failures    *negative.Failures   // of calls whose clients retry by themselves
	Batches     *batches.Batches     // in which states they were seen
	Decoding    chan struct{}        // has one for each body that is being decoded
}

// random returns a number in [0, 1), for jitter.
func (*Loop) random() float64 { return mathrand.Float64() }

// Run is the attempt loop of one call.
type Run struct {
	*Loop
	*call.Call
	call.Life
	Record call.Result
	Host   // the caller's side

	route
	Prepared // what holds for the present upstream
	affinity.Affinity

	upstreamKey
	seat
	tally
	probing
	before
	setbacks setbacks
	Repeat   repeating        // what is known of the client's own retries of the call
	Current  *attempt.Attempt // nil between attempts
	lease    lease            // of Current
	serving  stream.Serving
	StandIn  http.RoundTripper // answers attempts in the upstreams' place; nil for what is really sent
}

// route is where a call may go, and has been.
type route struct {
	request    *http.Request      // as the caller sent it, made ready for any upstream
	Candidates []*lane.Lane       // that may answer, in failover order
	spent      []*lane.Lane       // that the request was given up at
	Hops       []string           // URLs that redirected the request
	account    carrier.Credential // the request's at the first upstream that was to be asked: whose it is
}

// Host is the caller's side of a run.
type Host interface {
	// ExtendWrite moves the deadline for writing to the caller.
	ExtendWrite()
	// Withhold keeps what is written from now on until the answer is stored: it is its end.
	Withhold()
	// Attempted counts an attempt.
	Attempted()
}

// seat is what the run holds in the queues of the present upstream.
type seat struct {
	slots     [slotCount]admission.Slot // among the calls in flight, for the present attempt
	waitedAt  *admission.Slots          // whose queue it waited in last
	crowded   bool                      // the last attempt was refused for too many calls at once
	Ticket    *admission.Ticket         // in the present upstream's queue
	First     admission.Ticket          // the first upstream's: most requests need no other
	predicted time.Duration             // the wait in that queue, when it was entered
	gateUntil time.Time                 // when the patience at an open breaker ends; zero outside of such a wait

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
	probe       bool // of a cached refusal
	probeKey    negative.Key
	streakProbe bool // that is a streak of refusals
}

// before is what the attempt before brought.
type before struct {
	last     *response.Buffered   // its answer, kept while another one is made
	LastLoss *apierror.Error      // the error that stands for it, if it brought no answer
	lastUp   *lane.Lane           // where it was made
	setback  policy.FailoverCause // what its failure stands for
}

// takeTicket makes pl the request's ticket in an upstream's queue, not yet entered.
func (x *Run) takeTicket(at *Prepared, pl *admission.Ticket, now time.Time) {
	pl.Take(at.Up.Queues.Take(admission.Key{Credential: at.credential, Model: at.model}, at.Sent != "", now), limit.Waiter{
		// At least one: what costs nothing would not wait when tokens have run out, but ask
		// again and again.
		Tokens:    max(1, x.Facts.Tokens()),
		Images:    x.ImagesAsked(),
		Deadline:  x.Deadline,
		Unbounded: x.Facts.MaxTokens == 0,
		Priority:  x.Priority,
		Caller:    cmp.Or(x.CallerKey, at.credential.Key()),
	})
	pl.Taken = true
	if !pl.Queue.Identified() {
		pl.Queue.Identify(x.Credentials.PayerEverywhere(at.Outbound, at.Up.Config.URL.String()), now)
	}
	at.Up.Tidying.Need()
}

// Close gives back all that the run still holds.
func (x *Run) Close() {
	x.StopTimer()
	if x.waitedAt != nil && !x.Announced && x.Left() {
		now := time.Now()
		x.waitedAt.Left(now, now.Sub(x.Start))
	}
	if x.Current != nil {
		x.Current.Finish(apierror.ErrFinished)
	}
	now := time.Now()
	x.Ticket.Leave(now)
	x.Ticket.Free(now)
	x.settleProbe()
	x.Cancel(apierror.ErrFinished)
}

// Finish ends the present attempt.
func (x *Run) Finish() { x.Current.Finish(apierror.ErrFinished) }
