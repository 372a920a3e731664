package limit

import (
	"math"
	"time"
)

// Told is what an answer tells about the account that paid for it.
type Told struct {
	// Headers are the answer's rate-limit headers.
	Headers Headers
	// Organization is what the answer says that the key belongs to: OpenAI's answers name
	// it (openai-organization; platform.openai.com/docs/api-reference, debugging
	// requests). "" is not told.
	Organization string
	// Refusal is what a refusal tells, nil for an answer that accepted the request.
	Refusal *Refusal
	// Account is how a refusal's text names what is limited: the model and the
	// organization, as in "gpt-4o in organization org-x". "" when it does not.
	Account string
}

// Change is what an answer made certain. The zero value is nothing.
type Change struct {
	// Join are those that are found to share one account, Part those that were held to
	// and do not.
	Join, Part []*Sibling
}

// Answered tells of the answer to the request of m with that number, and returns what
// that makes certain.
func (s *Siblings) Answered(now time.Time, m *Sibling, id uint64, told Told) Change {
	if m.log == nil {
		return Change{}
	}
	e := m.log.get(id)
	if e == nil {
		return Change{}
	}
	t := now.Sub(s.start)
	e.state = sendAccepted
	if told.Refusal != nil {
		e.state = sendRefused
	}
	if d := t - e.at; s.fastest == 0 || d < s.fastest {
		s.fastest = d
	}
	if told.Organization != "" && told.Organization != m.org {
		m.org = told.Organization
	}
	o := observation{slot: m.slot, id: id, at: e.at}
	if limit, rate, level, ok := told.header(); ok {
		o.level = level
		if c := s.observe(t, m, kindHeader, o, series{limit: limit, rate: rate}); !c.empty() {
			return c
		}
	}
	if limit, rate, level, ok := told.text(); ok && m.series[kindHeader].limit == 0 { // headers tell more
		o.level = level
		return s.observe(t, m, kindText, o, series{limit: limit, rate: rate, account: told.Account})
	}
	return Change{}
}

func (c Change) empty() bool { return c.Join == nil && c.Part == nil }

// header returns the limit on requests that the headers tell, its rate, and the level,
// if the reset proves that it refills continuously: it is then what the used part takes
// to come back. Tokens are estimates and prove nothing.
func (t Told) header() (float64, float64, float64, bool) {
	for _, r := range t.Headers.Readings {
		if r.Dimension != "requests" || !r.sensible() || r.Remaining < 0 || r.Reset < 0 || r.Resolution > time.Second {
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
				return r.Limit, r.Limit / w.Seconds(), r.Remaining, true
			}
		}
	}
	return 0, 0, 0, false
}

// text returns the limit on requests that a refusal's text tells, its rate, and the
// level but for a constant: it is less by as much as comes in during the wait, be that
// for one request or for the next second's share.
func (t Told) text() (float64, float64, float64, bool) {
	r := t.Refusal
	if r == nil || t.Account == "" || r.Dimension != "requests" || r.HintFalse || r.SlowDown {
		return 0, 0, 0, false
	}
	if r.Limit < 1 || r.Limit > maxUnits || r.Window != time.Minute || r.Hint <= 0 || r.Hint > maxHint {
		return 0, 0, 0, false
	}
	rate := r.Limit / r.Window.Seconds()
	return r.Limit, rate, -rate * r.Hint.Seconds(), true
}
