package sim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/fields"
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
	"GET|PUT|DELETE /_sim/concurrency : show, replace, end limits of requests in progress: a limit or a list",
	"GET|PUT|DELETE /_sim/capacity : show, set {\"limit\",\"row\",\"refusal_cost\"}, end",
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
		"GET rows":           showRows,
		"GET limits":         s.showLimits,
		"PUT limits":         s.changeLimits,
		"DELETE limits":      s.changeLimits,
		"GET concurrency":    s.showConcurrency,
		"PUT concurrency":    s.changeConcurrency,
		"DELETE concurrency": s.changeConcurrency,
		"GET capacity":       s.showCapacity,
		"PUT capacity":       s.changeCapacity,
		"DELETE capacity":    s.changeCapacity,
		"GET accounts":       s.showAccounts,
		"POST accounts":      s.changeAccount,
		"GET outage":         s.showOutage,
		"POST outage":        s.changeOutage,
		"DELETE outage":      func(*http.Request, []byte) (any, error) { return map[string]any{}, s.Outage(Outage{}) },
	}
}
