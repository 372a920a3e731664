package sim

import (
	"encoding/json"
	"strconv"
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
func (c *call) completions() (work, *apiError) {
	var q completionRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	if err := c.named(q.Model); err != nil {
		return nil, err
	}
	if q.N < 0 || q.N > 128 {
		return nil, invalid("n", "Invalid 'n': integer out of range. Expected a value between 1 and 128.")
	}
	c.stream = q.Stream
	c.charge(q.Prompt, q.MaxTokens, q.N)
	return func() answer { return c.completion(legacyForm{q: q}, q.MaxTokens, max(1, q.N)) }, nil
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
	return strconv.AppendQuote(append(b, `"text":`...), word(i))
}
