package sim

import (
	"encoding/json"
	"strconv"
	"time"
)

// response is an answer of the Responses API. Only canceled changes, under the
// lock of the store; a background response's state follows from the time.
type response struct {
	id, item, model string
	created         time.Time
	input, tokens   int
	cut             bool // by max_output_tokens
	maxOutput       int  // 0 = none was given
	store           bool
	background      bool
	keeps           bool      // its events: it is a background stream
	ready           time.Time // when a background response is complete
	canceled        time.Time // zero = not
	previous        string
	metadata        json.RawMessage
}

// status at a time: a background response is queued for the first tenth of its
// time and in progress for the rest.
func (r *response) status(now time.Time) string {
	switch {
	case !r.canceled.IsZero():
		return "cancelled"
	case r.background && now.Before(r.created.Add(r.ready.Sub(r.created)/10)):
		return "queued"
	case r.background && now.Before(r.ready):
		return "in_progress"
	case r.cut:
		return "incomplete"
	default:
		return "completed"
	}
}

// object renders the response as it is in a status.
func (r *response) object(status string) object {
	o := object{
		"id", r.id, "object", "response", "created_at", r.created.Unix(), "status", status, "background", r.background,
		"error", nil, "incomplete_details", nil, "instructions", nil, "max_output_tokens", nil, "max_tool_calls", nil,
		"model", r.model, "output",
		[]any{},
		"parallel_tool_calls", true, "previous_response_id", optional(r.previous),
		"reasoning",
		object{"effort", nil, "summary", nil},
		"service_tier", "default", "store", r.store,
		"temperature", 1.0, "text",
		object{"format", object{"type", "text"}, "verbosity", "medium"},
		"tool_choice", "auto", "tools",
		[]any{},
		"top_p", 1.0, "truncation", "disabled", "usage", nil, "user", nil,
		"metadata",
		object{},
	}
	if r.maxOutput > 0 {
		o.put("max_output_tokens", r.maxOutput)
	}
	if len(r.metadata) > 0 && r.metadata[0] == '{' {
		o.put("metadata", r.metadata)
	}
	if status == "incomplete" {
		o.put("incomplete_details", object{"reason", "max_output_tokens"})
	}
	if status == "completed" || status == "incomplete" {
		o.put("output", []any{r.message(status)})
		o.put("usage", object{
			"input_tokens", r.input, "input_tokens_details",
			object{"cached_tokens", 0},
			"output_tokens", r.tokens, "output_tokens_details",
			object{"reasoning_tokens", 0},
			"total_tokens", r.input + r.tokens,
		})
	}
	return o
}

// message is the one output item.
func (r *response) message(status string) object {
	content := []any{}
	if status != "in_progress" {
		content = append(content, r.part(words(r.tokens)))
	}
	return object{"id", r.item, "type", "message", "status", status, "role", "assistant", "content", content}
}

// part is the one content part of the message.
func (r *response) part(text string) object {
	return object{"type", "output_text", "text", text, "annotations", []any{}, "logprobs", []any{}}
}

// stream returns the events after number after (-1 = all). Numbers begin at 0.
func (r *response) stream(after int) func(emit func(event) bool) {
	return func(emit func(event) bool) {
		n := 0
		send := func(name string, tokens int, data []byte) bool {
			n++
			return n-1 <= after || emit(event{name: name, tokens: tokens, data: data})
		}
		sendObject := func(name string, o object) bool {
			data, err := json.Marshal(append(object{"type", name, "sequence_number", n}, o...))
			return err == nil && send(name, 0, data)
		}
		at := func(o object) object {
			return append(object{"item_id", r.item, "output_index", 0, "content_index", 0}, o...)
		}
		end := "completed"
		if r.cut {
			end = "incomplete"
		}
		if !sendObject("response.created", object{"response", r.object("in_progress")}) ||
			!sendObject("response.in_progress", object{"response", r.object("in_progress")}) ||
			!sendObject("response.output_item.added", object{"output_index", 0, "item", r.message("in_progress")}) ||
			!sendObject("response.content_part.added", at(object{"part", r.part("")})) {
			return
		}
		var b []byte
		for i := range r.tokens {
			if b = r.appendDelta(b[:0], i, n); !send("response.output_text.delta", 1, b) {
				return
			}
		}
		_ = sendObject("response.output_text.done", at(object{"text", words(r.tokens), "logprobs", []any{}})) &&
			sendObject("response.content_part.done", at(object{"part", r.part(words(r.tokens))})) &&
			sendObject("response.output_item.done", object{"output_index", 0, "item", r.message(end)}) &&
			sendObject("response."+end, object{"response", r.object(end)})
	}
}

// appendDelta appends the data of one text delta.
func (r *response) appendDelta(b []byte, i, sequence int) []byte {
	b = append(b, `{"type":"response.output_text.delta","sequence_number":`...)
	b = strconv.AppendInt(b, int64(sequence), 10)
	b = append(b, `,"item_id":"`...)
	b = append(b, r.item...)
	b = append(b, `","output_index":0,"content_index":0,"delta":`...)
	b = strconv.AppendQuote(b, word(i)) // plain ASCII
	return append(b, `,"logprobs":[]}`...)
}
