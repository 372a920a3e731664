package api

import (
	"encoding/json"
	"strconv"
	"time"

	"outrigger/internal/sim/reply"
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
func (r *response) object(status string) reply.Object {
	o := reply.Object{
		"id", r.id, "object", "response", "created_at", r.created.Unix(), "status", status, "background", r.background,
		"error", nil, "incomplete_details", nil, "instructions", nil, "max_output_tokens", nil, "max_tool_calls", nil,
		"model", r.model, "output",
		[]any{},
		"parallel_tool_calls", true, "previous_response_id", reply.Optional(r.previous),
		"reasoning",
		reply.Object{"effort", nil, "summary", nil},
		"service_tier", "default", "store", r.store,
		"temperature", 1.0, "text",
		reply.Object{"format", reply.Object{"type", "text"}, "verbosity", "medium"},
		"tool_choice", "auto", "tools",
		[]any{},
		"top_p", 1.0, "truncation", "disabled", "usage", nil, "user", nil,
		"metadata",
		reply.Object{},
	}
	if r.maxOutput > 0 {
		o.Put("max_output_tokens", r.maxOutput)
	}
	if len(r.metadata) > 0 && r.metadata[0] == '{' {
		o.Put("metadata", r.metadata)
	}
	if status == "incomplete" {
		o.Put("incomplete_details", reply.Object{"reason", "max_output_tokens"})
	}
	if status == "completed" || status == "incomplete" {
		o.Put("output", []any{r.message(status)})
		o.Put("usage", reply.Object{
			"input_tokens", r.input, "input_tokens_details",
			reply.Object{"cached_tokens", 0},
			"output_tokens", r.tokens, "output_tokens_details",
			reply.Object{"reasoning_tokens", 0},
			"total_tokens", r.input + r.tokens,
		})
	}
	return o
}

// message is the one output item.
func (r *response) message(status string) reply.Object {
	content := []any{}
	if status != "in_progress" {
		content = append(content, r.part(reply.Words(r.tokens)))
	}
	return reply.Object{"id", r.item, "type", "message", "status", status, "role", "assistant", "content", content}
}

// part is the one content part of the message.
func (r *response) part(text string) reply.Object {
	return reply.Object{"type", "output_text", "text", text, "annotations", []any{}, "logprobs", []any{}}
}

// stream returns the events after number after (-1 = all). Numbers begin at 0.
func (r *response) stream(after int) func(emit func(reply.Event) bool) {
	return func(emit func(reply.Event) bool) {
		n := 0
		send := func(name string, tokens int, data []byte) bool {
			n++
			return n-1 <= after || emit(reply.Event{Name: name, Tokens: tokens, Data: data})
		}
		sendObject := func(name string, o reply.Object) bool {
			data, err := json.Marshal(append(reply.Object{"type", name, "sequence_number", n}, o...))
			return err == nil && send(name, 0, data)
		}
		at := func(o reply.Object) reply.Object {
			return append(reply.Object{"item_id", r.item, "output_index", 0, "content_index", 0}, o...)
		}
		end := "completed"
		if r.cut {
			end = "incomplete"
		}
		if !sendObject("response.created", reply.Object{"response", r.object("in_progress")}) ||
			!sendObject("response.in_progress", reply.Object{"response", r.object("in_progress")}) ||
			!sendObject("response.output_item.added", reply.Object{"output_index", 0, "item", r.message("in_progress")}) ||
			!sendObject("response.content_part.added", at(reply.Object{"part", r.part("")})) {
			return
		}
		var b []byte
		for i := range r.tokens {
			if b = r.appendDelta(b[:0], i, n); !send("response.output_text.delta", 1, b) {
				return
			}
		}
		_ = sendObject("response.output_text.done", at(reply.Object{"text", reply.Words(r.tokens), "logprobs", []any{}})) &&
			sendObject("response.content_part.done", at(reply.Object{"part", r.part(reply.Words(r.tokens))})) &&
			sendObject("response.output_item.done", reply.Object{"output_index", 0, "item", r.message(end)}) &&
			sendObject("response."+end, reply.Object{"response", r.object(end)})
	}
}

// appendDelta appends the data of one text delta.
func (r *response) appendDelta(b []byte, i, sequence int) []byte {
	b = append(b, `{"type":"response.output_text.delta","sequence_number":`...)
	b = strconv.AppendInt(b, int64(sequence), 10)
	b = append(b, `,"item_id":"`...)
	b = append(b, r.item...)
	b = append(b, `","output_index":0,"content_index":0,"delta":`...)
	b = strconv.AppendQuote(b, reply.Word(i)) // plain ASCII
	return append(b, `,"logprobs":[]}`...)
}
