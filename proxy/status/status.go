package status

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/limit"
	"outrigger/policy/verdict"
	"outrigger/proxy/admission"
	"outrigger/proxy/call"
	"outrigger/proxy/fleet"
	"outrigger/proxy/gate"
	"outrigger/proxy/idempotency"
	"outrigger/proxy/lane"
	"outrigger/proxy/recent"
	"outrigger/proxy/spool"
	"outrigger/proxy/wire"
)

// Status is a picture of what the proxy knows now, for /status.json. It holds no
// secret: a credential is the first 8 hex digits of an HMAC of it.
type Status struct {
	Time     time.Time `json:"time"`
	Draining bool      `json:"draining"`
	// DrainSince is when the drain began, and DrainEnd when it ends what is left.
	DrainSince time.Time `json:"draining_since,omitzero"`
	DrainEnd   time.Time `json:"draining_until,omitzero"`

	Inflight  int              `json:"inflight"`
	Memory    int64            `json:"body_memory_bytes"`
	Spool     int64            `json:"body_spool_bytes"`
	Upstreams []UpstreamStatus `json:"upstreams"`

	Idempotency IdempotencyStatus `json:"idempotency"`
	// Totals are what was counted since the start: requests, what was saved, streams.
	Totals recent.Totals `json:"totals"`
	// Verdict is all of this in words.
	Verdict verdict.Verdict `json:"verdict"`
	// Fleet is nil where nothing is shared.
	Fleet *fleet.Status `json:"fleet,omitempty"`
}

// IdempotencyStatus is what is known of calls with a key, and of abandoned ones.
type IdempotencyStatus struct {
	Store     string `json:"store"`     // memory, or where it is, without secrets
	Answers   bool   `json:"answers"`   // whether the store answered when last asked
	Running   int    `json:"running"`   // calls with a key that are being made
	Abandoned int    `json:"abandoned"` // calls that go on for a retry to join
}

// UpstreamStatus is one upstream's part of a Status.
type UpstreamStatus struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	Breaker string `json:"breaker"` // closed, half-open or open
	Waiting int    `json:"waiting_at_breaker"`
	// Since is when the breaker left the closed state, and ProbeAt when the next probe is due;
	// both are zero while it is closed.
	Since   time.Time `json:"breaker_since,omitzero"`
	ProbeAt time.Time `json:"probe_at,omitzero"`
	// Scopes are the endpoints and models whose own breaker is not closed.
	Scopes []ScopeStatus `json:"breakers"`
	// Budget is how many retries may start now.
	Budget int `json:"retry_budget_remaining"`
	// Concurrency is what is known of the calls in flight at the whole upstream.
	Concurrency admission.ConcurrencyStatus `json:"concurrency"`
	Limits      []LimitStatus               `json:"limiters"`
	Trips       []TripStatus                `json:"tripped"`
	// Streaks are the credentials and models that were refused for so long that their
	// refusals are answered from memory.
	Streaks []StreakStatus `json:"refusal_streaks"`
}

// ScopeStatus is the breaker of one endpoint and model.
type ScopeStatus struct {
	Scope      string    `json:"scope"` // endpoint, and model where there is one
	Credential string    `json:"credential"`
	Breaker    string    `json:"breaker"` // half-open or open
	Since      time.Time `json:"since"`
	ProbeAt    time.Time `json:"probe_at,omitzero"`
	Waiting    int       `json:"waiting"`
}

// LimitStatus is one limiter.
type LimitStatus struct {
	Credential string         `json:"credential"`
	Model      string         `json:"model"`
	State      limit.Snapshot `json:"state"`
	// Unproven says that no answer has shown yet that the model exists. All such models of a
	// credential share one limiter.
	Unproven bool `json:"unproven,omitempty"`
	// Concurrency is what is known of this credential's and model's calls in flight.
	Concurrency admission.ConcurrencyStatus `json:"concurrency"`
	// SharesWith are others that it is the limiter of too, since their answers show that
	// they draw on one account.
	SharesWith []LimitName `json:"shares_with,omitempty"`
}

// LimitName tells limiters apart.
type LimitName struct {
	Credential string `json:"credential"`
	Model      string `json:"model"`
}

// TripStatus is one cached refusal: of a revoked or exhausted credential, or of a model that it may not use.
type TripStatus struct {
	Credential string    `json:"credential"`
	Model      string    `json:"model,omitempty"`
	First      time.Time `json:"first"` // when it was refused first
	Until      time.Time `json:"until"` // from then on one probe may go through
	Outcome    string    `json:"outcome"`
	Status     int       `json:"status"`
	Code       string    `json:"code"`
}

// StreakStatus is one credential and model whose refusals do not clear.
type StreakStatus struct {
	TripStatus
	Since    time.Time `json:"since"`
	Refusals int       `json:"refusals"` // of the streak, counted once a second at most
}

// Source is where the present state is read.
type Source struct {
	Inflight *call.Inflight
	Bodies   *spool.Store
	Calls    *idempotency.Calls
	Lanes    []*lane.Lane // in failover order
	Recent   *recent.Recorder
	Fleet    *fleet.Fleet // nil where nothing is shared
}

// Status returns the present state.
func (p Source) Status() Status {
	now := time.Now()
	memory, spooled := p.Bodies.Usage()
	s := Status{Time: now, Draining: p.Inflight.Begun.Load(), Inflight: p.Inflight.Count(), Memory: memory, Spool: spooled}
	s.DrainSince, s.DrainEnd = p.Inflight.Drain()
	s.Idempotency = IdempotencyStatus{
		Store: p.Calls.Settings.Store.Spec.String(), Answers: !p.Calls.Reach.On.Load(),
		Running: p.Calls.Running(), Abandoned: p.Calls.Abandoned.Count(),
	}
	for _, u := range p.Lanes {
		s.Upstreams = append(s.Upstreams, laneStatus(u, now))
	}
	if p.Fleet != nil {
		fleet := p.Fleet.Status(true)
		s.Fleet = &fleet
	}
	s.Totals = p.Recent.Totals()
	s.Verdict = verdict.Judge(s.facts(p.Recent.Failing(now)), now)
	return s
}

func laneStatus(u *lane.Lane, now time.Time) UpstreamStatus {
	s := UpstreamStatus{
		Name: u.Config.Name, URL: u.Config.URL.Redacted(), Breaker: u.Gate.Breaker.State().String(), Waiting: u.Gate.Depth(),
		Scopes: []ScopeStatus{}, Budget: u.Budget.Remaining(now), Concurrency: u.Slots.Status(now),
		Limits: []LimitStatus{}, Trips: []TripStatus{}, Streaks: []StreakStatus{},
	}
	if u.Gate.Breaker.State() != policy.Closed {
		s.Since, s.ProbeAt = u.Gate.Breaker.OpenSince(), u.Gate.Breaker.ProbeAt()
	}
	u.Scopes.Each(func(key gate.Scope, g *gate.Gate) {
		s.Scopes = append(s.Scopes, ScopeStatus{key.String(), key.Credential.Label(), g.Breaker.State().String(), g.Breaker.OpenSince(), g.Breaker.ProbeAt(), g.Depth()})
	})
	inflight := map[admission.Key]admission.ConcurrencyStatus{}
	u.Queues.EachSlots(now, func(key admission.Key, c admission.ConcurrencyStatus, _ bool) { inflight[key] = c })
	u.Queues.Each(now, func(keys []admission.Key, snapshot limit.Snapshot, proven bool) {
		for i, key := range keys {
			l := LimitStatus{Credential: key.Credential.Label(), Model: wire.LabelText(key.Model), State: snapshot, Concurrency: inflight[key], Unproven: !proven}
			for j, other := range keys {
				if i != j && proven {
					l.SharesWith = append(l.SharesWith, LimitName{other.Credential.Label(), wire.LabelText(other.Model)})
				}
			}
			s.Limits = append(s.Limits, l)
		}
	})
	s.refusals(u)
	return s
}
