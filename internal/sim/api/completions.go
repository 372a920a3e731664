package api

import (
	"encoding/json"
	"strconv"

	"outrigger/internal/sim/reply"
)

// completionRequest is what matters in the body of POST completions.
type completionRequest struct {
	Model         string          `json:"model"`
	Prompt        json.RawMessage `json:"prompt"`
	Stream        bool            `json:"stream"`
	StreamOptions *streamOptions  `json:"stream_options"`
	N             int             `json:"n"`
	MaxTokens     int             `json:"max_tokens"`
}

// completions is the legacy POST completions.
func (c *Request) completions() (Work, *reply.Error) {
	var q completionRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	if err := c.named(q.Model); err != nil {
		return nil, err
	}
	if q.N < 0 || q.N > 128 {
		return nil, reply.Invalid("n", "Invalid 'n': integer out of range. Expected a value between 1 and 128.")
	}
	c.Stream = q.Stream
	c.charge(q.Prompt, q.MaxTokens, q.N)
	return func() reply.Answer { return c.completion(legacyForm{q: q}, q.MaxTokens, max(1, q.N)) }, nil
}

// legacyForm is the form of legacy completions: text instead of messages, no role.
type legacyForm struct{ q completionRequest }

func (f legacyForm) names() (string, string, string) {
	return "cmpl-", "text_completion", "text_completion"
}

func (f legacyForm) usage() bool { return f.q.StreamOptions != nil && f.q.StreamOptions.IncludeUsage }

func (f legacyForm) first() int { return 0 }

func (f legacyForm) appendChoice(b []byte, text string) []byte {
	return strconv.AppendQuote(append(b, `"text":`...), text)
}

func (f legacyForm) appendDelta(b []byte, i int, end bool) []byte {
	if end {
		return append(b, `"text":""`...)
	}
	return strconv.AppendQuote(append(b, `"text":`...), reply.Word(i))
}

// completionPart writes the objects of one chat or legacy completion.
type completionPart struct {
	form   form
	head   []byte // of each chunk, up to the choices
	tokens int
	finish string
	n      int    // choices
	usage  []byte // object
}

// whole returns the answer in one piece, after head.
func (p completionPart) whole(head []byte) []byte {
	text := reply.Words(p.tokens)
	b := head
	for i := range p.n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, ',')
		b = p.form.appendChoice(b, text)
		b = append(b, `,"logprobs":null,"finish_reason":"`...)
		b = append(b, p.finish...)
		b = append(b, `"}`...)
	}
	b = append(b, `],"usage":`...)
	b = append(b, p.usage...)
	return append(b, '}')
}

// stream emits the chunks: for each choice the role (chat), the tokens in turn and
// the reason of the end; then the usage if it was asked for; then [DONE].
func (p completionPart) stream(emit func(reply.Event) bool) {
	var b []byte
	for i := p.form.first(); i <= p.tokens; i++ {
		for choice := range p.n {
			b = p.chunk(b[:0], choice, i)
			tokens := 0
			if choice == 0 && i >= 0 && i < p.tokens {
				tokens = 1
			}
			if !emit(reply.Event{Data: b, Tokens: tokens}) {
				return
			}
		}
	}
	if p.form.usage() {
		b = append(append(b[:0], p.head...), `],"usage":`...)
		b = append(append(b, p.usage...), '}')
		if !emit(reply.Event{Data: b}) {
			return
		}
	}
	emit(reply.Event{Data: []byte("[DONE]")})
}

// chunk is one chunk with one choice; i = p.tokens is the end.
func (p completionPart) chunk(b []byte, choice, i int) []byte {
	end := i == p.tokens
	b = append(b, p.head...)
	b = append(b, `{"index":`...)
	b = strconv.AppendInt(b, int64(choice), 10)
	b = append(b, ',')
	b = p.form.appendDelta(b, i, end)
	if end {
		b = append(b, `,"logprobs":null,"finish_reason":"`...)
		b = append(b, p.finish...)
		b = append(b, `"}]`...)
	} else {
		b = append(b, `,"logprobs":null,"finish_reason":null}]`...)
	}
	if p.form.usage() {
		b = append(b, `,"usage":null`...)
	}
	return append(b, '}')
}
