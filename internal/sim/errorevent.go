package sim

import (
	"bytes"
	"cmp"
	"encoding/json"

	"outrigger/internal/sim/fault"
)

// errorEvents renders the rule's error as it appears inside a stream of the
// endpoint that was called. sequence is the number of the event.
func (c *call) errorEvents(rule *fault.Rule, sequence int) []byte {
	e := apiError{
		kind: cmp.Or(rule.Type, "server_error"), code: rule.Code,
		message: cmp.Or(rule.Message, openaiError(500).message),
	}
	if rule.Row != "" {
		return rowEvents(rule.Row)
	}
	switch c.route.dialect {
	case dialectResponses:
		return e.responsesEvent(rule.Shape, sequence)
	case dialectMessages:
		return encodeEvent("error", object{
			"type", "error", "error", object{"type", cmp.Or(rule.Type, "overloaded_error"), "message", cmp.Or(rule.Message, "Overloaded")},
		})
	default:
		return append(encodeEvent("", object{"error", e.object()}), "data: [DONE]\n\n"...)
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
		return appendEvent(nil, event{data: bytes.ReplaceAll([]byte(row.Body), []byte("\n"), []byte(" "))})
	}
	return appendEvent(nil, event{data: compact.Bytes()})
}

func (e *apiError) responsesEvent(shape fault.Shape, sequence int) []byte {
	switch shape {
	case fault.ShapeFlat:
		return encodeEvent("error", object{
			"type", "error", "code", optional(e.code), "message", e.message, "param", nil, "sequence_number", sequence,
		})
	case fault.ShapeFailed:
		return encodeEvent("response.failed", object{
			"type", "response.failed", "sequence_number", sequence,
			"response",
			object{
				"id", "resp_failed", "object", "response", "status", "failed", "output",
				[]any{},
				"error",
				object{"code", cmp.Or(e.code, "server_error"), "message", e.message},
			},
		})
	default:
		return encodeEvent("error", object{"type", "error", "error", e.object(), "sequence_number", sequence})
	}
}

func (e *apiError) object() object {
	return object{"message", e.message, "type", e.kind, "param", optional(e.param), "code", optional(e.code)}
}

func encodeEvent(name string, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil // maps of strings always encode
	}
	return appendEvent(nil, event{name: name, data: data})
}
