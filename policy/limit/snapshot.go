package limit

import (
	"encoding/json"
	"math"
	"time"

	"outrigger/policy/limit/shared"
	"outrigger/policy/priority"
)

// Source is how a limit came to be known. The zero value is none.
type Source uint8

// The sources.
const (
	// SourceConfigured: the operator set it.
	SourceConfigured Source = iota + 1
	// SourceHeader: rate-limit headers tell it.
	SourceHeader
	// SourceText: a refusal's text told it.
	SourceText
	// SourceRefusals: nothing tells it; it is the rate that was not refused.
	SourceRefusals
)

// String returns the source as pages and logs show it.
func (s Source) String() string {
	switch s {
	case SourceConfigured:
		return "configured"
	case SourceHeader:
		return "header"
	case SourceText:
		return "refusal text"
	case SourceRefusals:
		return "refusals"
	default:
		return "none"
	}
}

// MarshalText writes the source as String does, for JSON. It never fails.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Snapshot is a limiter's state for metrics and pages.
type Snapshot struct {
	// Queue is how many wait.
	Queue int `json:"queue"`
	// Waiting are the same by priority. JSON has them if some are not normal.
	Waiting priority.Counts `json:"queue_by_priority,omitzero"`
	// GateUntil is when the wait ends that holds everybody; zero if nothing does.
	GateUntil time.Time `json:"gate_until,omitzero"`
	// Buckets are the limits that are known or estimated, none at first.
	Buckets []Bucket `json:"buckets"`
	// Counters count from the limiter's start.
	Counters Counters `json:"counters"`
}

// Bucket is the state of one limit.
type Bucket struct {
	// Dimension is "requests", "tokens", "input_tokens", "output_tokens",
	// "project_tokens", "images", or "requests_long" and "tokens_long" for limits by
	// the hour or day, or "slow_down" for the ceiling on requests after one.
	Dimension string `json:"dimension"`
	// Limit is how many may be used in Window, which JSON has as window_seconds. Where
	// only a rate was learned, Window is a minute.
	Limit  float64       `json:"limit"`
	Window time.Duration `json:"-"`
	Source Source        `json:"source"`
	// Remaining is what could go now, as far as is known; below 0 is debt.
	Remaining float64 `json:"remaining"`
	// Rate is what is used of it, per second.
	Rate float64 `json:"rate"`
}

// MarshalJSON writes the window in seconds. It never fails.
func (b Bucket) MarshalJSON() ([]byte, error) {
	type bucket Bucket
	return json.Marshal(struct {
		bucket
		Window float64 `json:"window_seconds"`
	}{bucket(b), b.Window.Seconds()})
}

// Counters count what the limiter was told. All start at 0.
type Counters struct {
	// Refusals that were reported.
	Refusals int `json:"refusals"`
	// IgnoredHeaders, IgnoredTexts and IgnoredHints are values that made no sense,
	// contradicted each other or what was seen, and so changed nothing.
	IgnoredHeaders int `json:"ignored_headers"`
	IgnoredTexts   int `json:"ignored_texts"`
	IgnoredHints   int `json:"ignored_hints"`
}

// Add adds what another limiter counted.
func (c *Counters) Add(other Counters) {
	c.Refusals += other.Refusals
	c.IgnoredHeaders += other.IgnoredHeaders
	c.IgnoredTexts += other.IgnoredTexts
	c.IgnoredHints += other.IgnoredHints
}

// Snapshot returns the present state. It changes nothing.
func (l *Limiter) Snapshot(now time.Time) Snapshot {
	if now.Before(l.last) {
		now = l.last
	}
	s := Snapshot{Queue: l.queue.length, Waiting: l.queue.waiting, Buckets: []Bucket{}, Counters: l.counts}
	if now.Before(l.gate) {
		s.GateUntil = l.gate
	}
	for _, slot := range [...]slot{slotRequests, slotRequestsLong} {
		if l.allowed == nil {
			break
		}
		if a := &l.allowed[slot]; a.empty(now, milli) && a.until.After(s.GateUntil) {
			s.GateUntil = a.until
		}
	}
	for slot := range slots {
		b := l.at(slot)
		if !b.active {
			continue
		}
		k := Bucket{slot.String(), b.limit, b.window, b.source, b.level(now) / milli, b.speed}
		if b.window == 0 {
			k.Limit, k.Window = b.estimate.rate*60, time.Minute
		}
		if b.windows.on {
			k.Remaining = float64(b.windows.left(now.Sub(l.start), b.share())) / milli
		}
		if now.Before(b.left.until) {
			k.Remaining = min(k.Remaining, float64(b.left.left)/milli)
		}
		s.Buckets = append(s.Buckets, k)
	}
	return s
}

// Siblings finds out which limiters of one upstream draw on one quota. See package shared.
type Siblings = shared.Registry

// Sibling is one of those limiters.
type Sibling = shared.Member

// NewSiblings returns one that has seen nothing.
func NewSiblings(now time.Time) *Siblings { return shared.New(now) }

// Told is what an answer tells about the account that paid for it.
type Told struct {
	// Headers are the answer's rate-limit headers.
	Headers Headers
	// Organization is what the answer says that the key belongs to, "" when it does not. See
	// proxy's ownerHeaders for who names it.
	Organization string
	// Refusal is what a refusal tells, nil for an answer that accepted the request.
	Refusal *Refusal
	// Account is how a refusal's text names what is limited: the model and the
	// organization, as in "gpt-4o in organization org-x". "" when it does not.
	Account string
}

// Quota is the limit on requests that an answer tells, the zero value if it tells none.
func (t Told) Quota() shared.Quota {
	q, ok := t.header()
	if !ok {
		q, _ = t.text()
	}
	q.Organization = t.Organization
	return q
}

// header returns the quota that the headers tell, if the reset proves that it refills
// continuously: it is then what the used part takes to come back. Tokens are estimates and
// prove nothing.
func (t Told) header() (shared.Quota, bool) {
	for _, r := range t.Headers.Readings {
		if r.Dimension != "requests" || !r.Sensible() || r.Remaining < 0 || r.Reset < 0 || r.Resolution > time.Second {
			continue
		}
		used := r.Limit - r.Remaining
		for _, w := range classes[1:] {
			if r.Window != 0 && r.Window != w {
				continue
			}
			unit := w.Seconds() / r.Limit
			off := math.Abs(r.Reset.Seconds() - used*unit)
			// A refusal's remainder of nothing may hide debt.
			hidden := t.Refusal != nil && r.Remaining == 0
			if used > 0 && !hidden && off <= 1.5*unit+r.Resolution.Seconds() && r.Reset >= leastSteps*r.Resolution {
				return shared.Quota{Limit: r.Limit, Rate: r.Limit / w.Seconds(), Level: r.Remaining}, true
			}
		}
	}
	return shared.Quota{}, false
}

// text returns the quota that a refusal's text tells. Its level is less than nothing by as
// much as comes in during the wait, be that for one request or for the next second's share.
func (t Told) text() (shared.Quota, bool) {
	r := t.Refusal
	if r == nil || t.Account == "" || r.Dimension != "requests" || r.HintFalse || r.SlowDown {
		return shared.Quota{}, false
	}
	if r.Limit < 1 || r.Limit > maxUnits || r.Window != time.Minute || r.Hint <= 0 || r.Hint > maxHint {
		return shared.Quota{}, false
	}
	rate := r.Limit / r.Window.Seconds()
	return shared.Quota{Account: t.Account, Text: true, Limit: r.Limit, Rate: rate, Level: -rate * r.Hint.Seconds()}, true
}
