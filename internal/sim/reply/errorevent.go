package reply

import (
	"bytes"
	"cmp"
	"encoding/json"

	"outrigger/internal/sim/fault"
)

// ErrorEvents renders the rule's error as it appears inside a stream in that dialect.
// sequence is the number of the event.
func ErrorEvents(d Dialect, rule *fault.Rule, sequence int) []byte {
	e := Error{
		Kind: cmp.Or(rule.Type, "server_error"), Code: rule.Code,
		Message: cmp.Or(rule.Message, OpenAIError(500).Message),
	}
	if rule.Row != "" {
		return rowEvents(rule.Row)
	}
	switch d {
	case DialectResponses:
		return e.responsesEvent(rule.Shape, sequence)
	case DialectMessages:
		return encodeEvent("error", Object{
			"type", "error", "error", Object{"type", cmp.Or(rule.Type, "overloaded_error"), "message", cmp.Or(rule.Message, "Overloaded")},
		})
	default:
		return append(encodeEvent("", Object{"error", e.object()}), "data: [DONE]\n\n"...)
	}
}

// rowEvents turns a row into events: those of a stream as they are, a JSON body as
// the data of one.
func rowEvents(id string) []byte {
	row, _ := fault.FindRow(id) // Validate found it
	if row.Stream() {
		return []byte(row.Body)
	}
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(row.Body)) != nil {
		return AppendEvent(nil, Event{Data: bytes.ReplaceAll([]byte(row.Body), []byte("\n"), []byte(" "))})
	}
	return AppendEvent(nil, Event{Data: compact.Bytes()})
}

func (e *Error) responsesEvent(shape fault.Shape, sequence int) []byte {
	switch shape {
	case fault.ShapeFlat:
		return encodeEvent("error", Object{
			"type", "error", "code", Optional(e.Code), "message", e.Message, "param", nil, "sequence_number", sequence,
		})
	case fault.ShapeFailed:
		return encodeEvent("response.failed", Object{
			"type", "response.failed", "sequence_number", sequence,
			"response",
			Object{
				"id", "resp_failed", "object", "response", "status", "failed", "output",
				[]any{},
				"error",
				Object{"code", cmp.Or(e.Code, "server_error"), "message", e.Message},
			},
		})
	default:
		return encodeEvent("error", Object{"type", "error", "error", e.object(), "sequence_number", sequence})
	}
}

func (e *Error) object() Object {
	return Object{"message", e.Message, "type", e.Kind, "param", Optional(e.Param), "code", Optional(e.Code)}
}
