package verdict

import "time"

// Facts is what a verdict rests on.
type Facts struct {
	Draining bool
	// DrainSince is when the drain began, and DrainEnd when it ends what is left; zero is unknown.
	DrainSince, DrainEnd time.Time

	Inflight int   // requests under way
	Requests int64 // requests that have ended since the start
	// StoreAway is the store of answers to an Idempotency-Key if it does not answer, else "".
	StoreAway string
	// FleetAway is why the server of the fleet cannot be used, "" if it can or there is none;
	// FleetSince is since when.
	FleetAway  string
	FleetSince time.Time
	Upstreams  []Upstream // in failover order
}

// Upstream is what is known of one upstream.
type Upstream struct {
	Name    string
	Breaker Breaker
	// Scopes are the endpoints and models whose own breaker is not closed.
	Scopes   []Breaker
	Spent    bool // no retry may start: the retry budget is used up
	Limits   []Limit
	Slots    Slots // of the whole upstream
	Refusals []Refusal
	Failing  Failing
}

// Failing is how many of the last requests failed, whatever was done about it: Failed of Of,
// most often with Outcome.
type Failing struct {
	Failed, Of int
	Outcome    string
}

// Breaker is a circuit breaker. The zero value is closed.
type Breaker struct {
	Scope   string // endpoint and model; "" is the whole upstream
	Open    bool
	Probing bool // half-open
	Since   time.Time
	Probe   time.Time // when the next probe is due
	Waiting int
}

// shut reports whether requests wait at it.
func (b Breaker) shut() bool { return b.Open || b.Probing }

// Limit is one rate limiter, of a credential and model.
type Limit struct {
	Queue int
	// Paused is when a pause that holds everybody ends; zero or past is none.
	Paused  time.Time
	Buckets []Bucket
	Slots   Slots
}

// Bucket is one limit of a limiter.
type Bucket struct {
	Dimension string // "requests", "tokens" and others
	Limit     float64
	Window    time.Duration
	Source    string // "configured", "header", "refusal text", "refusals"
	Remaining float64
}

// Slots is what is known of the calls in flight.
type Slots struct {
	Limit, Running, Queue int // Limit 0 is none known
	Source                string
}

// Refusal is an answer that is given from memory: of a revoked or exhausted credential, of a
// model, or of a streak of refusals that does not clear.
type Refusal struct {
	Credential string
	Model      string // "" for all models
	Outcome    string // as classify.Outcome has it: "quota", "credential", "model"
	Streak     bool
	Since      time.Time
	Probe      time.Time // from then on one request probes
}
