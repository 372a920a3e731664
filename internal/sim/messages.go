package sim

import (
	"encoding/json"
	"net/http"
	"strconv"
)

type messageRequest struct {
	Model     string          `json:"model"`
	Messages  json.RawMessage `json:"messages"`
	MaxTokens int             `json:"max_tokens"`
	Stream    bool            `json:"stream"`
}

// messages is Anthropic's POST messages.
func (c *call) messages() (work, *apiError) {
	var q messageRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	if err := c.named(q.Model); err != nil {
		return nil, invalid("model", "model: Field required")
	}
	switch {
	case len(q.Messages) == 0 || q.Messages[0] != '[':
		return nil, invalid("messages", "messages: Field required")
	case q.MaxTokens <= 0:
		return nil, invalid("max_tokens", "max_tokens: Field required")
	}
	c.stream = q.Stream
	c.charge(q.Messages, q.MaxTokens, 1)
	return func() answer {
		m := message{id: c.sim.ids.next("msg_"), model: c.model, input: c.estimate, stop: "end_turn"}
		var finish string
		if m.tokens, finish = c.length(q.MaxTokens); finish == "length" {
			m.stop = "max_tokens"
		}
		if q.Stream {
			return answer{status: http.StatusOK, contentType: "text/event-stream; charset=utf-8", events: m.stream, object: m.id}
		}
		a := jsonAnswer(http.StatusOK, m.object([]any{object{"type", "text", "text", words(m.tokens)}}, &m.stop, m.tokens))
		a.tokens, a.object = m.tokens, m.id
		return a
	}, nil
}

// message is one answer in Anthropic's form.
type message struct {
	id, model, stop string
	input, tokens   int
}

func (m message) object(content []any, stop *string, output int) object {
	return object{
		"id", m.id, "type", "message", "role", "assistant", "model", m.model, "content", content, "stop_reason", stop,
		"stop_sequence", nil, "usage",
		object{
			"input_tokens", m.input, "cache_creation_input_tokens", 0, "cache_read_input_tokens", 0, "output_tokens", output,
		},
	}
}

// stream emits the events in the documented order, with one ping.
func (m message) stream(emit func(event) bool) {
	send := func(name string, o object) bool {
		data, err := json.Marshal(append(object{"type", name}, o...))
		return err == nil && emit(event{name: name, data: data})
	}
	if !send("message_start", object{"message", m.object([]any{}, nil, 1)}) ||
		!send("content_block_start", object{"index", 0, "content_block", object{"type", "text", "text", ""}}) ||
		!send("ping", object{}) {
		return
	}
	var b []byte
	for i := range m.tokens {
		b = append(b[:0], `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`...)
		b = append(strconv.AppendQuote(b, word(i)), "}}"...)
		if !emit(event{name: "content_block_delta", data: b, tokens: 1}) {
			return
		}
	}
	_ = send("content_block_stop", object{"index", 0}) &&
		send("message_delta", object{
			"delta", object{"stop_reason", m.stop, "stop_sequence", nil}, "usage", object{"output_tokens", m.tokens},
		}) &&
		send("message_stop", object{})
}
