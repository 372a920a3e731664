package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"outrigger/internal/sim/reply"
)

// chatRequest is what matters in the body of POST chat/completions.
type chatRequest struct {
	Model               string          `json:"model"`
	Messages            json.RawMessage `json:"messages"`
	Stream              bool            `json:"stream"`
	StreamOptions       *streamOptions  `json:"stream_options"`
	N                   int             `json:"n"`
	MaxTokens           int             `json:"max_tokens"`
	MaxCompletionTokens int             `json:"max_completion_tokens"`
	Store               bool            `json:"store"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// chat is POST chat/completions.
func (c *Request) chat() (Work, *reply.Error) {
	var q chatRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	if err := c.named(q.Model); err != nil {
		return nil, err
	}
	if len(q.Messages) == 0 || q.Messages[0] != '[' {
		return nil, reply.Missing("messages")
	}
	if q.N < 0 || q.N > 128 {
		return nil, reply.Invalid("n", "Invalid 'n': integer out of range. Expected a value between 1 and 128.")
	}
	allowed := cmp.Or(q.MaxCompletionTokens, q.MaxTokens)
	c.Stream = q.Stream
	c.charge(q.Messages, allowed, q.N)
	return func() reply.Answer { return c.completion(chatForm{q: q}, allowed, max(1, q.N)) }, nil
}

// form is what tells chat completions from legacy ones.
type form interface {
	// prefix of the id, object of a whole answer and of a chunk.
	names() (prefix, object, chunk string)
	usage() bool
	// appendChoice appends one choice of a whole answer.
	appendChoice(b []byte, text string) []byte
	// appendDelta appends what a chunk brings: token i, the role for i < 0, nothing for the end.
	appendDelta(b []byte, i int, end bool) []byte
	// first is the number of the first delta.
	first() int
}

// chatForm is the form of chat completions.
type chatForm struct{ q chatRequest }

func (f chatForm) names() (string, string, string) {
	return "chatcmpl-", "chat.completion", "chat.completion.chunk"
}

func (f chatForm) usage() bool { return f.q.StreamOptions != nil && f.q.StreamOptions.IncludeUsage }

func (f chatForm) first() int { return -1 }

func (f chatForm) appendChoice(b []byte, text string) []byte {
	b = append(b, `"message":{"role":"assistant","content":`...)
	b = strconv.AppendQuote(b, text) // the story is plain ASCII, for which Go's quoting is JSON's
	return append(b, `,"refusal":null,"annotations":[]}`...)
}

func (f chatForm) appendDelta(b []byte, i int, end bool) []byte {
	switch {
	case end:
		return append(b, `"delta":{}`...)
	case i < 0:
		return append(b, `"delta":{"role":"assistant","content":"","refusal":null}`...)
	default:
		b = append(b, `"delta":{"content":`...)
		b = strconv.AppendQuote(b, reply.Word(i))
		return append(b, '}')
	}
}

// completion is the answer of chat and legacy completions.
func (c *Request) completion(f form, allowed, n int) reply.Answer {
	tokens, finish := c.length(allowed)
	prefix, object, chunk := f.names()
	a := reply.Answer{Status: http.StatusOK, ContentType: "application/json", Tokens: tokens, Object: c.api.ids.Next(prefix)}
	p := completionPart{form: f, tokens: tokens, finish: finish, n: n, usage: c.appendUsage(nil, tokens*n)}
	if c.Stream {
		a.ContentType = "text/event-stream; charset=utf-8"
		p.head = c.appendHead(nil, a.Object, chunk)
		a.Events = p.stream
		return a
	}
	a.Body = p.whole(c.appendHead(nil, a.Object, object))
	return a
}

// appendHead appends the fields that every object of an answer begins with.
func (c *Request) appendHead(b []byte, id, object string) []byte {
	b = append(b, `{"id":"`...)
	b = append(b, id...)
	b = append(b, `","object":"`...)
	b = append(b, object...)
	b = append(b, `","created":`...)
	b = strconv.AppendInt(b, time.Now().Unix(), 10)
	b = append(b, `,"model":`...)
	b = appendJSON(b, c.Model)
	return append(b, `,"service_tier":"default","system_fingerprint":"fp_simulated","choices":[`...)
}

func (c *Request) appendUsage(b []byte, completion int) []byte {
	b = append(b, `{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(c.estimate), 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, int64(completion), 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(c.estimate+completion), 10)
	return append(b, `,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`...)
}

// appendJSON appends a JSON string.
func appendJSON(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...) // strings always encode
	}
	return append(b, quoted...)
}
