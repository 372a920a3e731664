package lane

import (
	"cmp"
	"crypto/sha256"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/carrier"
	"outrigger/proxy/gate"
	"outrigger/proxy/negative"
	"outrigger/proxy/observe"
	"outrigger/proxy/settings"
	"outrigger/proxy/upstream"
)

// maxBlamed bounds the credentials of one upstream whose failures and retries are told apart.
const maxBlamed = 1024

// Lane is an upstream with all that bounds the calls to it.
type Lane struct {
	*upstream.API
	*Learned
}

// Learned is what bounds the calls to one upstream, and what they have taught. The lanes of
// several generations share it: a limit is the upstream's, whoever calls under which
// configuration.
type Learned struct {
	Gate     *gate.Gate                          // the upstream's circuit breaker
	Scopes   *gate.Scopes                        // those of its endpoints and models
	Budget   *policy.Budget                      // retry budget
	Reserve  *policy.Reserve[carrier.Credential] // each credential's own retries beside it
	Blame    *policy.Blame[carrier.Credential]   // whose failures are its own
	Queues   *admission.Queues                   // rate limits
	Slots    *admission.Slots                    // the limit on calls in flight
	Trips    *negative.Cache                     // cached refusals
	Worked   *policy.Worked[admission.Key]       // which credentials and models succeeded lately
	Loadings negative.Loadings                   // models that are being loaded
	Trends   *negative.Trends                    // how calls fare, by path and model
	Tidying  tidying

	recorder    observe.Recorder
	name        atomic.Pointer[string]               // of the upstream
	spent       atomic.Bool                          // the retry budget is, as was told
	connections atomic.Pointer[upstream.Connections] // that are in use
	users       atomic.Int64                         // lanes that have it
}

// bounds are the settings that a Learned keeps to.
type bounds struct {
	limits      limit.Settings
	maxInflight int
	learns      bool
	alone       bool // no other upstream could answer
	breaker     policy.BreakerConfig
	budget      float64
	cooldown    time.Duration
	room        int
}

func boundsOf(c settings.Config, u *settings.Upstream) bounds {
	b := bounds{
		limits: c.Limit, maxInflight: cmp.Or(u.MaxInflight, c.MaxInflight), learns: c.Concurrency != settings.ConcurrencyOff,
		alone:   len(c.Upstreams) == 1 || !c.Failover.On(policy.FailoverBreaker),
		breaker: c.Breaker, budget: c.Retry.Budget, cooldown: c.TripCooldown, room: admission.QueueRoom / len(c.Upstreams),
	}
	b.limits.RPM, b.limits.TPM = cmp.Or(u.RPM, b.limits.RPM), cmp.Or(u.TPM, b.limits.TPM)
	b.limits.Longest = c.Retry.AfterMax
	return b
}

// Fleet is what other processes share with this one: their limits, and what they remember.
type Fleet interface {
	admission.Fleet
	negative.Elsewhere
}

// New returns the lane to api under c. Fleet is nil where nothing is shared, and always the same.
// What known has learned, nil if there is no such lane, is kept where it still holds, and keeps
// to the settings of c from now on.
func New(c settings.Config, api *upstream.API, recorder observe.Recorder, fleet Fleet, now time.Time, known *Lane) *Lane {
	b := boundsOf(c, &api.Config)
	var l *Learned
	if known != nil {
		l = known.Learned
	} else {
		l = newLearned(b, recorder, fleet, now)
	}
	if fleet != nil {
		l.share(fleet, b, api.Config.URL.String())
	}
	if known != nil {
		l.configure(b, now)
	}
	l.name.Store(&api.Config.Name)
	l.connections.Store(api.Connections)
	l.users.Add(1)
	return &Lane{API: api, Learned: l}
}

// newLearned returns one that knows nothing yet.
func newLearned(b bounds, recorder observe.Recorder, fleet Fleet, now time.Time) *Learned {
	l := &Learned{
		recorder: recorder,
		Budget:   policy.NewBudget(b.budget, now),
		Reserve:  policy.NewReserve[carrier.Credential](maxBlamed),
		Blame:    policy.NewBlame[carrier.Credential](maxBlamed),
		Gate:     gate.NewGate(b.breaker, b.alone),
		Scopes:   gate.NewScopes(b.breaker, b.alone),
		Trips:    negative.NewTrips(b.cooldown),
		Trends:   negative.NewTrends(),
		Worked:   policy.NewWorked[admission.Key](maxWorked),
		Queues:   admission.NewQueues(b.limits),
		Slots:    admission.NewSlots(b.maxInflight, b.limits.QueueMax, b.learns),
	}
	l.Queues.Connect = func(now time.Time) time.Duration { return l.connections.Load().Connects.Shortest(now) }
	if fleet != nil {
		l.Queues.Fleet, l.Trips.Elsewhere = fleet, fleet
	}
	l.tellAll(now)
	l.Queues.Configure(b.limits, b.learns, b.room, now)
	l.Tidying.tidy = l.tidy
	return l
}

// share has all calls in flight at a place be bounded for the whole fleet, if they are bounded by
// configuration.
func (u *Learned) share(fleet Fleet, b bounds, place string) {
	if b.maxInflight > 0 {
		u.Slots.Share(fleet, admission.Account{Payer: sha256.Sum256([]byte("upstream " + place))})
	} else {
		u.Slots.Unshare()
	}
}

// configure has what was learned keep to other settings.
func (u *Learned) configure(b bounds, now time.Time) {
	u.Gate.Configure(b.breaker, b.alone)
	u.Scopes.Configure(b.breaker, b.alone)
	u.Budget.Configure(b.budget)
	u.Trips.Configure(b.cooldown)
	u.Slots.Configure(b.maxInflight, b.limits.QueueMax, b.learns)
	u.Queues.Configure(b.limits, b.learns, b.room, now)
}

// IsOpen reports whether the upstream's breaker, or that of a scope there, is not closed.
func (u *Learned) IsOpen(s gate.Scope) bool {
	if u.Gate.Breaker.State() != policy.Closed {
		return true
	}
	g := u.Scopes.Of(s)
	return g != nil && g.Breaker.State() != policy.Closed
}

// Close ends what outlives requests, unless another lane has it too.
func (u *Lane) Close() {
	u.Release()
	if u.users.Add(-1) > 0 {
		return
	}
	u.Gate.Stop()
	u.Scopes.Stop()
	u.Slots.Stop()
	u.Tidying.stop()
}

// maxWorked bounds the credentials and models of one upstream that are known to work, of
// about 200 bytes each.
const maxWorked = 4096
