package fault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"outrigger/internal/sim/fields"
	"outrigger/internal/sim/meter"
)

// Rule says what goes wrong, and for which requests. Every condition that is given
// must hold; the zero value of a condition is no condition. The choosing fields
// count the requests that fulfil the others.
type Rule struct {
	Kind Kind `json:"kind" doc:"what happens, see below"`

	Path       string        `json:"path" doc:"path prefix, as sent"`
	Method     string        `json:"method" doc:"HTTP method"`
	Model      string        `json:"model" doc:"model; a trailing * matches a prefix"`
	Credential string        `json:"credential" doc:"API key; a trailing * matches a prefix"`
	Start      time.Duration `json:"start" doc:"from this long after the rule was set"`
	Stop       time.Duration `json:"stop" doc:"until this long after the rule was set"`
	Period     time.Duration `json:"period" doc:"start and stop count anew after each such time; as in stop=2s,period=5s: 2 s of every 5"`
	Attempts   int           `json:"attempts" doc:"only the first so many attempts of one client request"`

	Skip        int     `json:"skip" doc:"spare the first so many"`
	First       int     `json:"first" doc:"strike only the first so many, after skip"`
	Every       int     `json:"every" doc:"strike every so many-th, after skip"`
	Probability float64 `json:"probability" doc:"strike with this chance, over 0 to 1; the seed decides"`

	After  bool `json:"after" doc:"do the work first (kinds that send something instead of the answer)"`
	Unread bool `json:"unread" doc:"strike before the request body is read; no model or attempts then"`

	Row     string            `json:"row" doc:"row, error_event: provider/name of a real answer"`
	Status  int               `json:"status" doc:"status, html, endless_body: HTTP status"`
	Headers map[string]string `json:"headers" doc:"status, row: headers to add (JSON form only)"`
	Body    string            `json:"body" doc:"status, garbage: what to send"`
	Gzip    bool              `json:"gzip" doc:"status, row, html: compress the body"`
	For     time.Duration     `json:"for" doc:"hang, silence: how long (0 = until the client leaves)"`
	Events  int               `json:"events" doc:"stream kinds: after so many events"`
	Rate    int               `json:"rate" doc:"slow kinds: bytes per second"`
	Bytes   int               `json:"bytes" doc:"length and endless kinds: how many; cut kinds: how many of the next event"`
	Shape   Shape             `json:"shape" doc:"error_event on responses: nested (default), flat or failed"`
	Code    string            `json:"code" doc:"error_event: error code"`
	Type    string            `json:"type" doc:"error_event: error type (default server_error)"`
	Message string            `json:"message" doc:"error_event: error message"`
}

// Shape is the form of an error event of the Responses API.
type Shape string

// The shapes that have been seen on the wire.
const (
	// ShapeNested: event: error, {"type":"error","error":{…},"sequence_number":n}.
	ShapeNested Shape = "nested"
	// ShapeFlat: event: error, {"type":"error","code","message","param","sequence_number"}, as documented.
	ShapeFlat Shape = "flat"
	// ShapeFailed: event: response.failed, with response.error.
	ShapeFailed Shape = "failed"
)

// ErrRule is wrapped by every error about a rule.
var ErrRule = errors.New("bad fault rule")

// ParseRule reads a rule from "kind=reset,path=/v1/files,first=2" or from JSON, and validates it.
func ParseRule(text string) (Rule, error) {
	var r Rule
	if err := fields.Parse(&r, text); err != nil {
		return Rule{}, fmt.Errorf("%w: %w", ErrRule, err)
	}
	return r, r.Validate()
}

// UnmarshalJSON reads a JSON object strictly; durations are texts. It does not validate.
func (r *Rule) UnmarshalJSON(data []byte) error {
	*r = Rule{}
	return fields.FromJSON(r, data)
}

// MarshalJSON writes what UnmarshalJSON reads.
func (r Rule) MarshalJSON() ([]byte, error) { return fields.ToJSON(r) }

// Name is the kind, with the row or status that tells it from others of the kind.
func (r Rule) Name() string {
	switch {
	case r.Row != "":
		return string(r.Kind) + " " + r.Row
	case r.Status != 0:
		return fmt.Sprintf("%s %d", r.Kind, r.Status)
	default:
		return string(r.Kind)
	}
}

// Validate reports what makes no sense, wrapping ErrRule.
func (r Rule) Validate() error {
	info, ok := r.Kind.Info()
	if !ok {
		return fmt.Errorf("%w: kind is %q, want one of %s", ErrRule, r.Kind, kindNames())
	}
	for name, n := range map[string]int{
		"attempts": r.Attempts, "skip": r.Skip, "first": r.First, "every": r.Every,
		"events": r.Events, "rate": r.Rate, "bytes": r.Bytes,
	} {
		if n < 0 {
			return fmt.Errorf("%w: %s is %d, want 0 or more", ErrRule, name, n)
		}
	}
	switch {
	case !(r.Probability >= 0 && r.Probability <= 1): // NaN fails both
		return fmt.Errorf("%w: probability is %v, want 0 to 1", ErrRule, r.Probability)
	case r.Start < 0 || r.Stop < 0 || r.For < 0 || r.Period < 0:
		return fmt.Errorf("%w: negative duration", ErrRule)
	case r.Stop != 0 && r.Stop <= r.Start:
		return fmt.Errorf("%w: stop %v is not after start %v", ErrRule, r.Stop, r.Start)
	case r.Period != 0 && (r.Stop == 0 || r.Stop > r.Period):
		return fmt.Errorf("%w: period %v wants a stop within it", ErrRule, r.Period)
	case r.Status != 0 && (r.Status < 200 || r.Status > 999):
		return fmt.Errorf("%w: status is %d, want 200 to 999", ErrRule, r.Status)
	case r.Kind == KindStatus && r.Status == 0:
		return fmt.Errorf("%w: kind status needs status", ErrRule)
	case r.Kind == KindRow && r.Row == "":
		return fmt.Errorf("%w: kind row needs row", ErrRule)
	case (r.After || r.Unread) && !info.Instead:
		return fmt.Errorf("%w: kind %s always does the work: neither after nor unread", ErrRule, r.Kind)
	case r.After && r.Unread:
		return fmt.Errorf("%w: after and unread exclude each other", ErrRule)
	case r.Unread && (r.Model != "" || r.Attempts != 0):
		return fmt.Errorf("%w: unread knows neither model nor attempts", ErrRule)
	}
	return r.validateContent()
}

// validateContent looks at the fields that say what is sent.
func (r Rule) validateContent() error {
	switch r.Shape {
	case "", ShapeNested, ShapeFlat, ShapeFailed:
	default:
		return fmt.Errorf("%w: shape is %q, want nested, flat or failed", ErrRule, r.Shape)
	}
	for name, value := range r.Headers {
		if strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(value, "\r\n\x00") || name == "" {
			return fmt.Errorf("%w: %q is not a header", ErrRule, name)
		}
	}
	if r.Row != "" {
		row, err := FindRow(r.Row)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRule, err)
		}
		if row.Stream() && (r.Unread || r.After) {
			return fmt.Errorf("%w: row %s is part of a stream: neither after nor unread", ErrRule, r.Row)
		}
	}
	return nil
}

// Stream reports whether the rule acts only on requests for an event stream.
func (r Rule) Stream() bool {
	if r.Kind == KindRow {
		row, err := FindRow(r.Row)
		return err == nil && row.Stream()
	}
	info, _ := r.Kind.Info()
	return info.Stream
}

// matches reports whether the rule's conditions on the request itself hold.
func (r Rule) matches(q Request) bool {
	return strings.HasPrefix(q.Path, r.Path) &&
		(r.Method == "" || strings.EqualFold(r.Method, q.Method)) &&
		meter.Match(r.Model, q.Model) &&
		meter.Match(r.Credential, q.Credential) &&
		(r.Attempts == 0 || q.Attempt <= r.Attempts)
}

// DefaultStatus returns the rule's status, or the one its kind has otherwise.
func (r Rule) DefaultStatus() int {
	switch {
	case r.Status != 0:
		return r.Status
	case r.Kind == KindEndlessBody:
		return http.StatusInternalServerError
	default:
		return http.StatusBadGateway
	}
}

func kindNames() string {
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		names = append(names, string(k.Kind))
	}
	return strings.Join(names, ", ")
}
