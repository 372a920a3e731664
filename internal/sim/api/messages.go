package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"outrigger/internal/sim/reply"
)

type messageRequest struct {
	Model     string          `json:"model"`
	Messages  json.RawMessage `json:"messages"`
	MaxTokens int             `json:"max_tokens"`
	Stream    bool            `json:"stream"`
}

// messages is Anthropic's POST messages.
func (c *Request) messages() (Work, *reply.Error) {
	var q messageRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	if err := c.named(q.Model); err != nil {
		return nil, reply.Invalid("model", "model: Field required")
	}
	switch {
	case len(q.Messages) == 0 || q.Messages[0] != '[':
		return nil, reply.Invalid("messages", "messages: Field required")
	case q.MaxTokens <= 0:
		return nil, reply.Invalid("max_tokens", "max_tokens: Field required")
	}
	c.Stream = q.Stream
	c.charge(q.Messages, q.MaxTokens, 1)
	return func() reply.Answer {
		m := message{id: c.api.ids.Next("msg_"), model: c.Model, input: c.estimate, stop: "end_turn"}
		var finish string
		if m.tokens, finish = c.length(q.MaxTokens); finish == "length" {
			m.stop = "max_tokens"
		}
		if q.Stream {
			return reply.Answer{Status: http.StatusOK, ContentType: "text/event-stream; charset=utf-8", Events: m.stream, Object: m.id}
		}
		a := reply.JSON(http.StatusOK, m.object([]any{reply.Object{"type", "text", "text", reply.Words(m.tokens)}}, &m.stop, m.tokens))
		a.Tokens, a.Object = m.tokens, m.id
		return a
	}, nil
}

// message is one answer in Anthropic's form.
type message struct {
	id, model, stop string
	input, tokens   int
}

func (m message) object(content []any, stop *string, output int) reply.Object {
	return reply.Object{
		"id", m.id, "type", "message", "role", "assistant", "model", m.model, "content", content, "stop_reason", stop,
		"stop_sequence", nil, "usage",
		reply.Object{
			"input_tokens", m.input, "cache_creation_input_tokens", 0, "cache_read_input_tokens", 0, "output_tokens", output,
		},
	}
}

// stream emits the events in the documented order, with one ping.
func (m message) stream(emit func(reply.Event) bool) {
	send := func(name string, o reply.Object) bool {
		data, err := json.Marshal(append(reply.Object{"type", name}, o...))
		return err == nil && emit(reply.Event{Name: name, Data: data})
	}
	if !send("message_start", reply.Object{"message", m.object([]any{}, nil, 1)}) ||
		!send("content_block_start", reply.Object{"index", 0, "content_block", reply.Object{"type", "text", "text", ""}}) ||
		!send("ping", reply.Object{}) {
		return
	}
	var b []byte
	for i := range m.tokens {
		b = append(b[:0], `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`...)
		b = append(strconv.AppendQuote(b, reply.Word(i)), "}}"...)
		if !emit(reply.Event{Name: "content_block_delta", Data: b, Tokens: 1}) {
			return
		}
	}
	_ = send("content_block_stop", reply.Object{"index", 0}) &&
		send("message_delta", reply.Object{
			"delta", reply.Object{"stop_reason", m.stop, "stop_sequence", nil}, "usage", reply.Object{"output_tokens", m.tokens},
		}) &&
		send("message_stop", reply.Object{})
}
