package access

import (
	"net/http"
	"strings"

	"outrigger/policy/priority"
	"outrigger/proxy/apierror"
	"outrigger/proxy/wire"
)

// Caller is what queues and records need to know of who calls.
type Caller struct {
	// Name is that of the client token, then that which the caller gave itself, if it may:
	// web, web/checkout, checkout. It is one of a bounded set, "" for none.
	Name string
	// Label tells the caller from others in the log: Name, or where that is "" the last characters
	// of the client token or, where callers present none, of the caller's own credential. It is ""
	// where that is missing, or short.
	Label string
	// Key tells callers with different client tokens apart: by name, if they have names. It is 0
	// where nobody presents a token.
	Key      uint64
	Priority priority.Priority
}

// Caller returns who calls, or the error for an x-outrigger-priority that is none.
//
// A named token's priority is the default of its calls and the most that they may ask for. To ask
// for more is no error: a library may set the header for all of its users, and they would fail.
func (cs *Callers) Caller(r *http.Request) (Caller, error) {
	c, most := Caller{Priority: cs.priority}, priority.High
	t := cs.tokenOf(r)
	c.Name = cs.nameOf(r, t)
	if c.Label = c.Name; c.Label == "" {
		c.Label = cs.endOf(r)
	}
	if t != nil {
		c.Key = t.key
		if p, ok := cs.priorities[t.name]; ok {
			c.Priority, most = p, p
		}
	}
	asked := ""
	for i, value := range r.Header[wire.HeaderPriority] {
		value = strings.ToLower(strings.TrimSpace(value))
		if i > 0 && value != asked {
			return c, badPriority(strings.Join(r.Header[wire.HeaderPriority], ", "))
		}
		asked = value
	}
	if asked == "" {
		return c, nil
	}
	p, err := priority.Parse(asked)
	if err != nil {
		return c, badPriority(asked)
	}
	c.Priority = min(p, most)
	return c, nil
}

func badPriority(text string) error {
	return apierror.New(apierror.BadRequest, "x-outrigger-priority is %q, want high, normal or low.", Short(text))
}
