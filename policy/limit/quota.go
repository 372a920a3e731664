package limit

import (
	"math"
	"time"

	"outrigger/policy/limit/shared"
)

// Siblings finds out which limiters of one upstream draw on one quota. Sibling is one of
// them. See package shared.
type (
	Siblings = shared.Registry
	Sibling  = shared.Member
)

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
	if q, ok := t.header(); ok {
		return q
	}
	q, _ := t.text()
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
				return shared.Quota{Owner: t.Organization, Limit: r.Limit, Rate: r.Limit / w.Seconds(), Level: r.Remaining}, true
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
	return shared.Quota{Owner: t.Account, Text: true, Limit: r.Limit, Rate: rate, Level: -rate * r.Hint.Seconds()}, true
}
