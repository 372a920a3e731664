package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/fields"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
)

// controlPath is where the simulator itself is spoken to.
const controlPath = "/_sim"

// maxControl bounds the body of a control request.
const maxControl = 4 << 20

// errControl is wrapped by what is wrong with a control request.
var errControl = errors.New("bad request")

// control answers the control endpoint. It works during outages too.
func (s *Sim) control(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControl))
	if err != nil {
		writeControl(w, http.StatusRequestEntityTooLarge, map[string]any{"error": err.Error()})
		return
	}
	what := strings.Trim(strings.TrimPrefix(r.URL.Path, controlPath), "/")
	do := s.controls()[r.Method+" "+what]
	if do == nil {
		writeControl(w, http.StatusNotFound, map[string]any{"error": "no such control", "controls": controlDocs})
		return
	}
	result, err := do(r, body)
	if err != nil {
		writeControl(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
		return
	}
	writeControl(w, http.StatusOK, result)
}

func writeControl(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(v) // the client may have left
}

// controlDocs describes the control endpoint.
var controlDocs = []string{
	"GET /_sim/ledger?path=&method=&route=&fault=&request=&after=&last= : what was done, duplicates first",
	"POST /_sim/reset : the state after the start",
	"GET|POST|PUT|DELETE /_sim/faults : show, add, replace, end fault rules: a rule, a list, or {\"rules\":[…]}",
	"GET /_sim/kinds : what fault rules can do",
	"GET /_sim/rows : names of the real error answers",
	"GET|PUT|DELETE /_sim/limits : show, replace, end limits: a limit or a list",
	"GET|POST /_sim/accounts : show, or set {\"credential\",\"row\",\"for\"}; an empty row restores",
	"GET|POST|DELETE /_sim/outage : show, start {\"kind\":\"status|hang|reset|refuse\",\"for\":\"5s\"}, end",
}

type controlFunc func(r *http.Request, body []byte) (any, error)

func (s *Sim) controls() map[string]controlFunc {
	return map[string]controlFunc{
		"GET ":        func(*http.Request, []byte) (any, error) { return map[string]any{"controls": controlDocs}, nil },
		"GET ledger":  s.showLedger,
		"POST reset":  s.controlReset,
		"GET faults":  s.showFaults,
		"POST faults": s.changeFaults,
		"PUT faults":  s.changeFaults,
		"DELETE faults": func(*http.Request, []byte) (any, error) {
			return map[string]any{"rules": []any{}}, s.SetFaults()
		},
		"GET kinds": func(*http.Request, []byte) (any, error) {
			return map[string]any{"kinds": fault.Kinds(), "fields": fields.List(fault.Rule{})}, nil
		},
		"GET rows":      showRows,
		"GET limits":    s.showLimits,
		"PUT limits":    s.changeLimits,
		"DELETE limits": s.changeLimits,
		"GET accounts":  s.showAccounts,
		"POST accounts": s.changeAccount,
		"GET outage":    s.showOutage,
		"POST outage":   s.changeOutage,
		"DELETE outage": func(*http.Request, []byte) (any, error) { return map[string]any{}, s.Outage(Outage{}) },
	}
}

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
	for _, a := range s.accounts.list() {
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
	if err := s.Outage(o); err != nil {
		return nil, err
	}
	return s.showOutage(r, nil)
}
