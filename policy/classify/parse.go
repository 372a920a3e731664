package classify

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"outrigger/internal/jsonscan"
	"outrigger/policy/echoes"
)

// The most that is kept of a text, in bytes: of the message for logs, and of all texts for matching.
const (
	messageMax = 1 << 10
	textMax    = 4 << 10
)

// parse reads a body. JSON is tried whatever the content type says (OpenAI's
// 401 is text/plain); what is not JSON is plain text, or a page.
func parse(body []byte, contentType string, clock time.Time, request echoes.Parts) said {
	body = eventData(jsonscan.Trim(body))
	s := said{clock: clock, echo: request}
	if len(body) == 0 {
		return s
	}
	if v, ok := decode(body); ok {
		s.take(v, 0)
		s.times(v, 0)
		s.text, s.all = cut(s.text, textMax), cut(s.all, textMax)
		return s
	}
	if body[0] == '<' || strings.Contains(contentType, "html") {
		s.html = true
		s.page = s.own(cut(string(body[:min(len(body), textMax)]), pageMax))
		return s
	}
	s.add(string(body))
	s.text, s.all = cut(s.text, textMax), cut(s.all, textMax)
	return s
}

// decode reads the first JSON value and lets be what follows it. Only objects, arrays
// and strings count: a bare number or word is a text.
func decode(body []byte) (any, bool) {
	switch body[0] {
	case '{', '[', '"':
	default:
		return nil, false
	}
	var v any
	if json.NewDecoder(bytes.NewReader(body)).Decode(&v) != nil {
		return nil, false
	}
	return v, true
}

// eventData returns the data of the first event that has some, when a refusal was written
// as an event stream; else body itself.
func eventData(body []byte) []byte {
	if !bytes.HasPrefix(body, []byte("data:")) && !bytes.HasPrefix(body, []byte("event:")) {
		return body
	}
	for line := range bytes.Lines(body) {
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			return jsonscan.Trim(data)
		}
	}
	return body
}

// take reads a decoded body, depth levels deep in others.
func (s *said) take(v any, depth int) {
	switch v := v.(type) {
	case string:
		s.add(v)
	case []any:
		for _, e := range v {
			if o, ok := e.(map[string]any); ok {
				s.take(o, depth)
				return
			}
		}
	case map[string]any:
		s.api = true
		s.object(v, depth)
	}
}

// object finds the error inside an answer's object: nested in "error", in a failed response, in the first
// choice, in FastAPI's "detail", in Apigee's "fault", in a list of "errors", in MiniMax's
// "base_resp", or flat.
func (s *said) object(o map[string]any, depth int) {
	if inner, ok := o["response"].(map[string]any); ok && inner["error"] != nil {
		o = inner
	}
	s.finish(o)
	s.baseResp(o)
	switch e := o["error"].(type) {
	case map[string]any:
		s.envelope = s.envelope || o["type"] == eventError
		if inner, ok := e["error"].(map[string]any); ok {
			e = inner
		}
		s.error(e, depth)
		// OpenRouter's Responses skin puts error_type beside the error, Copilot the code.
		s.code(o["error_type"])
		return
	case []any:
		s.take(e, depth)
		return
	case string:
		s.add(e)
		s.wordless(e)
	}
	switch d := o["detail"].(type) {
	case map[string]any:
		s.object(d, depth)
	case []any:
		s.take(d, depth)
	}
	if fault, ok := o["fault"].(map[string]any); ok {
		s.add(str(fault["faultstring"]))
		if d, ok := fault["detail"].(map[string]any); ok {
			s.code(d["errorcode"])
		}
	}
	if list, ok := o["errors"].([]any); ok && o["error"] == nil {
		s.take(list, depth)
	}
	s.error(o, depth)
}

// finish reads the error of a choice, and takes a reason that means a failure for a code.
func (s *said) finish(o map[string]any) {
	choices, _ := o["choices"].([]any)
	// OpenRouter names in every chunk the provider that made it.
	s.provider = s.provider || (len(choices) > 0 && str(o["provider"]) != "")
	for _, c := range choices {
		choice, _ := c.(map[string]any)
		if e, ok := choice["error"].(map[string]any); ok && o["error"] == nil {
			s.error(e, maxDepth)
		}
		if choice["finish_reason"] == outOfResource {
			s.code(outOfResource)
		}
	}
}

// own returns a text in lower case, without what the request had said of it.
func (s *said) own(text string) string { return strings.ToLower(s.echo.Cut(text)) }

// add takes a sentence into the text, and into the message if there is none yet.
func (s *said) add(sentence string) {
	if sentence == "" {
		return
	}
	if s.fields.Message == "" {
		s.fields.Message = cut(sentence, messageMax)
	}
	lower := s.own(cut(sentence, textMax))
	s.text += lower + "\n"
	s.all += lower + "\n"
}

// str returns v if it is a string.
func str(v any) string {
	text, _ := v.(string)
	return text
}

// cut shortens text to at most n bytes without splitting a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
