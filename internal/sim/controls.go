package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/fields"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
)

func (s *Sim) showLedger(r *http.Request, _ []byte) (any, error) {
	q := r.URL.Query()
	f := ledger.Filter{
		Path: q.Get("path"), Method: q.Get("method"), Route: q.Get("route"),
		Fault: q.Get("fault"), Request: q.Get("request"), Last: 100,
	}
	var err error
	if text := q.Get("after"); text != "" {
		f.After, err = strconv.ParseUint(text, 10, 64)
	}
	if text := q.Get("last"); text != "" && err == nil {
		f.Last, err = strconv.Atoi(text)
	}
	if err != nil {
		return nil, errors.Join(errControl, err)
	}
	return map[string]any{
		"requests": s.ledger.Requests(), "duplicates": s.ledger.Duplicates(),
		"totals": s.ledger.Totals(), "entries": s.ledger.Entries(f),
	}, nil
}

func (s *Sim) controlReset(*http.Request, []byte) (any, error) {
	s.Reset()
	return map[string]any{"reset": true}, nil
}

func (s *Sim) showFaults(*http.Request, []byte) (any, error) {
	return map[string]any{"rules": s.faults.States()}, nil
}

// changeFaults adds (POST) or replaces (PUT) rules.
func (s *Sim) changeFaults(r *http.Request, body []byte) (any, error) {
	var wrapped struct {
		Rules json.RawMessage `json:"rules"`
	}
	if json.Unmarshal(body, &wrapped) == nil && wrapped.Rules != nil {
		body = wrapped.Rules
	}
	rules, err := oneOrMore[fault.Rule](body)
	if err != nil {
		return nil, err
	}
	change := s.AddFaults
	if r.Method == http.MethodPut {
		change = s.SetFaults
	}
	if err := change(rules...); err != nil {
		return nil, err
	}
	return s.showFaults(r, nil)
}

// oneOrMore decodes an object or a list of them.
func oneOrMore[T any](body []byte) ([]T, error) {
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '[' {
		body = append(append([]byte("["), body...), ']')
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, errors.Join(errControl, err)
	}
	all := make([]T, len(raw))
	for i, data := range raw {
		if err := fields.FromJSON(&all[i], data); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func showRows(*http.Request, []byte) (any, error) {
	type row struct {
		ID     string `json:"id"`
		Status int    `json:"status"`
		Phase  string `json:"phase"`
	}
	var rows []row
	for _, r := range fault.Rows() {
		rows = append(rows, row{r.ID(), r.Status, r.Phase})
	}
	return map[string]any{"rows": rows}, nil
}

func (s *Sim) showLimits(*http.Request, []byte) (any, error) {
	all := []json.RawMessage{}
	for _, l := range s.meter.Limits() {
		data, err := fields.ToJSON(l)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return map[string]any{"limits": all}, nil
}

// changeLimits replaces the limits; without a body it ends them.
func (s *Sim) changeLimits(r *http.Request, body []byte) (any, error) {
	var limits []meter.Limit
	if r.Method == http.MethodPut {
		var err error
		if limits, err = oneOrMore[meter.Limit](body); err != nil {
			return nil, err
		}
	}
	if err := s.SetLimits(limits...); err != nil {
		return nil, err
	}
	return s.showLimits(r, nil)
}

func (s *Sim) showAccounts(*http.Request, []byte) (any, error) {
	type shown struct {
		Credential string `json:"credential"`
		Row        string `json:"row"`
	}
	all := []shown{}
	for _, a := range s.accounts.List() {
		all = append(all, shown{ledger.Mask(a.Credential), a.Row})
	}
	return map[string]any{"accounts": all}, nil
}

func (s *Sim) changeAccount(r *http.Request, body []byte) (any, error) {
	var a Account
	if err := fields.FromJSON(&a, body); err != nil {
		return nil, err
	}
	if err := s.SetAccount(a); err != nil {
		return nil, err
	}
	return s.showAccounts(r, nil)
}

func (s *Sim) showOutage(*http.Request, []byte) (any, error) {
	now, _ := s.outage.current()
	data, err := fields.ToJSON(now)
	return map[string]any{"outage": json.RawMessage(data)}, err
}

func (s *Sim) changeOutage(r *http.Request, body []byte) (any, error) {
	var o Outage
	if err := fields.FromJSON(&o, body); err != nil {
		return nil, err
	}
	if o.Kind == OutageRefuse && o.For == 0 {
		return nil, fmt.Errorf("%w: refuse needs for: nobody could connect to end it", ErrOutage)
	}
	if err := s.Outage(o); err != nil {
		return nil, err
	}
	return s.showOutage(r, nil)
}
