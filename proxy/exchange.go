package proxy

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"outrigger/policy"
	"outrigger/policy/endpoint"
	"outrigger/policy/limit"
	"outrigger/proxy/pick"
	"outrigger/proxy/spool"
	"outrigger/proxy/sticky"
)

// exchange is one caller's request on its way through the steps. Each step reads
// what earlier ones found out and adds its own.
type exchange struct {
	p      *Proxy
	w      http.ResponseWriter
	id     string
	method string
	path   string
	agent  string // the caller's User-Agent
	caller string // a label of who calls, for the log; "" if there is none
	start  time.Time
	record record
	stamps [5]string // values of the headers that tell how the answer came about

	ctx    context.Context // ends with the caller's leaving, the deadline, or a drain's end
	cancel context.CancelCauseFunc

	// The deadline until the answer is committed, and whether the caller announced it, as
	// they were when they were last looked at: bytes of the body may put it off.
	deadline   time.Time
	announced  bool
	deadlineAt dueAt
	alarm      *alarm
	patience   policy.Patience // the caller's
	motion     *motion
	hears1xx   bool   // it bears informational answers that it did not ask for
	awake      *awake // tells it that its body moves; nil if nobody is to be told

	// The request body: kept whole, or once when it could not be.
	body   *spool.Body
	once   io.ReadCloser
	closes bool  // the caller's connection ends with the answer: it may come before the body's end
	size   int64 // -1 when it is not known
	facts  pick.Facts

	encoded encoded // what was compressed of it

	references *sticky.Request // what the request refers to; nil when nobody asks
	told       [2]sticky.Owner // see owners
	intake     intake
	reading    bool      // the body is read; under Proxy.mu
	awaits     time.Time // the soonest end of the present wait; zero outside of one; under Proxy.mu

	page   string   // the origin of the page that calls, if one does that may
	target string   // the host, with port, that the caller meant; "" is this listener
	asked  *url.URL // what the caller asked of it, if it is not ""
	below  string   // the same, escaped, under Outrigger's own base URL; "" if it is beside the API's

	identity identity
	repeat   repeating
	flight   *flight // that this exchange makes the call of; nil when it answers its caller itself

	endpoint   endpoint.Endpoint
	candidates []*upstream // that may answer, in failover order
	meant      bool        // the caller asked for the one by name

	request *http.Request // as the caller sent it, made ready for any upstream
	facing                // what holds for the present upstream
	spent   []*upstream   // that the request was given up at

	upstreamKey

	// The attempt loop's state.
	slots     [slotCount]slot // among the calls in flight, for the present attempt
	waitedAt  *slots          // whose queue it waited in last
	crowded   bool            // the last attempt was refused for too many calls at once
	http1     bool            // the next attempt is made over HTTP/1.1
	stray     bool            // the next attempt is not made over a kept connection
	place     *place          // in the present upstream's line
	first     place           // the first upstream's: most requests need no other
	predicted time.Duration   // the wait in that line, when it was entered
	gateUntil time.Time       // when the patience at an open breaker ends; zero outside of such a wait

	budgetSince time.Time            // when a retry was first refused for want of budget; zero outside of such a wait
	lastChance  bool                 // the next attempt is made although its scope's breaker is open, and is the last
	tries       int                  // attempts at the present upstream
	retries     int                  // repeats there that count
	connected   bool                 // some attempt there had a connection
	setback     policy.FailoverCause // what the last attempt's failure stands for
	lastUp      *upstream            // that the last attempt was made at
	doubted     int                  // refusals that were not believed
	account     credential           // the request's at the first upstream that was to be asked: whose it is
	charged     bool                 // the next attempt is a retry that spends the budget
	repeated    bool                 // the one repeat of a Once verdict was made
	probe       bool                 // this request is the probe of a tripped credential
	probeKey    tripKey
	streakProbe bool // and that is a streak of refusals
	setbacks    setbacks
	last        *saved // the last attempt's answer, kept while another one is made
	lastLoss    *Error // the error that stands for the last attempt, if it brought no answer
	current     *attempt
	doubtful    bool      // a create may have been carried out, and is repeated all the same
	late        bool      // no further attempt because the deadline is near
	writeSet    time.Time // when the deadline for writing was last moved
}

type exchangeKey struct{}

// exchangeOf returns the exchange that ctx belongs to.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// replayable reports whether the body can be sent again.
func (x *exchange) replayable() bool { return x.once == nil }

// takePlace makes pl the request's place in an upstream's line, not yet entered.
func (x *exchange) takePlace(at *facing, pl *place, now time.Time) {
	pl.take(at.up.lines.take(lineKey{at.credential, at.model}, at.sent != "", now), limit.Waiter{
		// At least one: what costs nothing would not wait when tokens have run out, but ask
		// again and again.
		Tokens:    max(1, x.facts.Tokens()),
		Images:    imagesAsked(x.endpoint, x.facts),
		Deadline:  x.deadline,
		Unbounded: x.facts.MaxTokens == 0,
	})
	pl.taken = true
	at.up.tidying.need()
}

// imagesAsked counts the images that an image endpoint was asked for.
func imagesAsked(e endpoint.Endpoint, f pick.Facts) int {
	if e.Dialect != endpoint.Images {
		return 0
	}
	return max(f.N, 1)
}

// close gives back all that the exchange still holds.
func (x *exchange) close() {
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
	if x.body != nil {
		_ = x.body.Close()
	}
}
