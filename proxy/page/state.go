package page

import (
	"bytes"
	"encoding/json"
	"time"

	"outrigger/proxy/recent"
	"outrigger/proxy/status"
)

// maxListed bounds the limiters, breakers and refusals of one upstream that are sent:
// callers choose credentials and models. /status.json has all.
const maxListed = 100

// state is a look at the status, in parts that are compared with those of the next look.
type state struct {
	order     []string // of the upstreams
	parts     map[string]json.RawMessage
	upstreams map[string]json.RawMessage
}

// shown is an upstream's status with what is left out of its lists.
type shown struct {
	status.UpstreamStatus

	Omitted int `json:"omitted,omitempty"`
}

// stateOf returns the parts of s.
func stateOf(s *status.Status) (state, error) {
	st := state{parts: map[string]json.RawMessage{}, upstreams: map[string]json.RawMessage{}}
	var failed error
	put := func(into map[string]json.RawMessage, name string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			failed = err
		}
		into[name] = text
	}
	for _, u := range s.Upstreams {
		st.order = append(st.order, u.Name)
		v := shown{UpstreamStatus: u}
		v.Limits = first(v.Limits, &v.Omitted)
		v.Scopes = first(v.Scopes, &v.Omitted)
		v.Trips = first(v.Trips, &v.Omitted)
		v.Streaks = first(v.Streaks, &v.Omitted)
		put(st.upstreams, u.Name, v)
	}
	put(st.parts, "verdict", s.Verdict)
	put(st.parts, "totals", s.Totals)
	put(st.parts, "idempotency", s.Idempotency)
	put(st.parts, "order", st.order)
	if s.Fleet != nil {
		put(st.parts, "fleet", s.Fleet)
	}
	put(st.parts, "load", load{s.Draining, s.Inflight, s.Memory, s.Spool})
	return st, failed
}

// load is what changes with each request.
type load struct {
	Draining bool  `json:"draining"`
	Inflight int   `json:"inflight"`
	Memory   int64 `json:"body_memory_bytes"`
	Spool    int64 `json:"body_spool_bytes"`
}

// first returns the first maxListed of list, and counts the others.
func first[T any](list []T, omitted *int) []T {
	if len(list) <= maxListed {
		return list
	}
	*omitted += len(list) - maxListed
	return list[:maxListed]
}

// update is one event for the page: what has changed, or all of it.
type update struct {
	Time      time.Time                  `json:"time"`
	Full      bool                       `json:"full,omitempty"`
	Parts     map[string]json.RawMessage `json:"parts,omitempty"`
	Upstreams map[string]json.RawMessage `json:"upstreams,omitempty"`
	Requests  []recent.Request           `json:"requests,omitempty"`
}

// changed returns what is in now and was not, or was another, before.
func changed(before, now map[string]json.RawMessage) map[string]json.RawMessage {
	found := map[string]json.RawMessage{}
	for name, text := range now {
		if !bytes.Equal(before[name], text) {
			found[name] = text
		}
	}
	return found
}

// event returns u as a server-sent event. All of u can be encoded: stateOf has done the rest.
func (u update) event() []byte {
	text, _ := json.Marshal(u)
	return append(append([]byte("data: "), text...), "\n\n"...)
}
