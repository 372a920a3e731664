package lane

import (
	"cmp"
	"log/slog"
	"time"

	"outrigger/policy"
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
	Gate     *gate.Gate                          // the upstream's own breaker
	Scopes   *gate.Scopes                        // and those of its endpoints and models
	Budget   *policy.Budget                      // of retries
	Reserve  *policy.Reserve[carrier.Credential] // retries that each credential has beside the budget
	Blame    *policy.Blame[carrier.Credential]   // whether failures are one credential's own
	Lines    *admission.Queues                   // for rate limits, by credential and model
	Slots    *admission.Slots                    // for calls in flight at the upstream as a whole
	Trips    *negative.Cache                     // cached refusals
	Worked   *policy.Worked[admission.Key]       // credentials and models that were seen to work
	Loadings negative.Loadings                   // models that are being loaded
	Trends   *negative.Trends                    // how calls fare, by path and model
	Tidying  tidying                             // drops what was idle for long enough
}

// NewLane returns the lane of an upstream, with limits and breakers of its own. The recorder is
// told when limiters turn out to share a quota. Close ends it.
func NewLane(c settings.Config, api *upstream.API, recorder observe.Recorder, now time.Time) *Lane {
	u := &api.Config
	alone := len(c.Upstreams) == 1 || !c.Failover.On(policy.FailoverBreaker)
	learns := c.Concurrency != settings.ConcurrencyOff
	settings := c.Limit
	settings.RPM, settings.TPM = cmp.Or(u.RPM, settings.RPM), cmp.Or(u.TPM, settings.TPM)
	settings.Longest = c.Retry.AfterMax
	up := &Lane{
		API:     api,
		Budget:  policy.NewBudget(c.Retry.Budget, now),
		Reserve: policy.NewReserve[carrier.Credential](maxBlamed),
		Blame:   policy.NewBlame[carrier.Credential](maxBlamed),
		Gate:    gate.NewGate(c.Breaker, alone),
		Scopes:  gate.NewScopes(c.Breaker, alone),
		Trips:   negative.NewTrips(c.TripCooldown),
		Trends:  negative.NewTrends(),
		Worked:  policy.NewWorked[admission.Key](maxWorked),
		Lines:   admission.NewLines(settings),
		Slots:   admission.NewSlots(cmp.Or(u.MaxInflight, c.MaxInflight), settings.QueueMax, learns),
	}
	up.Lines.Concurrency = learns
	up.Lines.Room = admission.LineRoom / len(c.Upstreams)
	up.Lines.Connect = api.Connects.Shortest
	if admission.MayShare(settings) {
		up.Lines.Siblings = admission.NewSiblings(func(message string, fields []slog.Attr) {
			recorder.Notice(observe.Notice{Level: slog.LevelInfo, Message: message, Fields: fields})
		}, u.Name, now)
	}
	up.Tidying.tidy = up.tidy
	return up
}

// IsOpen reports whether the upstream's breaker, or that of a scope there, is not closed.
func (u *Lane) IsOpen(s gate.Scope) bool {
	if u.Gate.Breaker.State() != policy.Closed {
		return true
	}
	g := u.Scopes.Of(s)
	return g != nil && g.Breaker.State() != policy.Closed
}

// Close ends what outlives requests.
func (u *Lane) Close() {
	u.Gate.Stop()
	u.Scopes.Stop()
	u.Slots.Stop()
	u.Tidying.stop()
	u.CloseConnections()
}

// maxWorked bounds the credentials and models of one upstream that are known to work, of
// about 200 bytes each.
const maxWorked = 4096
