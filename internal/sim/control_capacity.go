package sim

import (
	"encoding/json"
	"net/http"

	"outrigger/internal/sim/fields"
)

func (s *Sim) showConcurrency(*http.Request, []byte) (any, error) {
	all := []json.RawMessage{}
	for _, l := range s.concurrency.List() {
		data, err := fields.ToJSON(l)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return map[string]any{"concurrency": all}, nil
}

// changeConcurrency replaces the limits; DELETE ends them.
func (s *Sim) changeConcurrency(r *http.Request, body []byte) (any, error) {
	var limits []Concurrency
	if r.Method == http.MethodPut {
		var err error
		if limits, err = oneOrMore[Concurrency](body); err != nil {
			return nil, err
		}
	}
	if err := s.SetConcurrency(limits...); err != nil {
		return nil, err
	}
	return s.showConcurrency(r, nil)
}

func (s *Sim) showCapacity(*http.Request, []byte) (any, error) {
	data, err := fields.ToJSON(s.capacity.Current())
	return map[string]any{"capacity": json.RawMessage(data)}, err
}

// changeCapacity sets the fields that are named and leaves the others; DELETE ends the bound.
func (s *Sim) changeCapacity(r *http.Request, body []byte) (any, error) {
	next := Capacity{}
	if r.Method == http.MethodPut {
		next = s.capacity.Current()
		if err := fields.FromJSON(&next, body); err != nil {
			return nil, err
		}
	}
	if err := s.SetCapacity(next); err != nil {
		return nil, err
	}
	return s.showCapacity(r, nil)
}
