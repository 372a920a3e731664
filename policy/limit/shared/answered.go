package shared

import (
	"time"
)

// Change is what an answer made certain. The zero value is nothing.
type Change struct {
	// Join are those that are found to share one account, Part those that were held to
	// and do not.
	Join, Part []*Member
}

// Answered tells of the answer to the request of m with that number, and returns what
// that makes certain.
func (s *Registry) Answered(now time.Time, m *Member, id uint64, refused bool, told Quota) Change {
	if m.log == nil {
		return Change{}
	}
	e := m.log.get(id)
	if e == nil {
		return Change{}
	}
	t := now.Sub(s.start)
	e.state = sendAccepted
	if refused {
		e.state = sendRefused
	}
	if d := t - e.at; s.fastest == 0 || d < s.fastest {
		s.fastest = d
	}
	if told.Organization != "" {
		m.org = told.Organization
	}
	o := observation{slot: m.slot, id: id, at: e.at, level: told.Level}
	switch {
	case told.Limit == 0:
	case !told.Text:
		return s.observe(t, m, kindHeader, o, series{limit: told.Limit, rate: told.Rate})
	case m.series[kindHeader].limit == 0: // headers tell more
		return s.observe(t, m, kindText, o, series{limit: told.Limit, rate: told.Rate, account: told.Account})
	}
	return Change{}
}

// Quota is what an answer tells of the limit on requests that it was charged to.
type Quota struct {
	// Organization is whose key the answer says that it was: organization and project. ""
	// is not told.
	Organization string
	// Account is whose limit a refusal's text says that it is. "" is not told.
	Account string
	// Text says that a refusal's text told it: then Level is right but for a constant.
	Text bool
	// Limit is how many there are, and Rate how many come in per second.
	Limit, Rate float64
	// Level is how many are left.
	Level float64
}
