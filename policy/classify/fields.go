package classify

import (
	"net/textproto"
	"strconv"
	"strings"
	"unicode"

	"outrigger/policy/classify/hint"
)

// maxDepth is how deep errors are looked for inside the messages of others. LiteLLM and
// Google's gateways quote one whole error as text of another.
const maxDepth = 2

// error reads one error object, flat or unwrapped.
func (s *said) error(e map[string]any, depth int) {
	if s.fields.Code == "" {
		s.fields.Code, s.codeText = scalar(e["code"]), str(e["code"])
	}
	if t := str(e["type"]); s.fields.Type == "" && t != eventError && t != eventFailed {
		s.fields.Type = t
	}
	if s.fields.Param == "" {
		s.fields.Param = str(e["param"])
	}
	s.statusFields(e)
	for _, key := range [...]string{"code", "type", "status", "error_type", "reason", "error_code", "errorCode", "__type"} {
		s.code(e[key])
	}
	for _, key := range [...]string{"message", "msg", "detail", "error_description", "title"} {
		s.sentence(str(e[key]), depth)
	}
	s.metadata(e)
	s.details(e)
	if inner, ok := e["innererror"].(map[string]any); ok {
		s.code(inner["code"])
	}
	if list, ok := e["errors"].([]any); ok {
		for _, v := range list {
			if inner, ok := v.(map[string]any); ok {
				s.code(inner["reason"])
			}
		}
	}
	s.quote(e["headers"])
}

// statusFields reads the status that an error names for itself.
func (s *said) statusFields(e map[string]any) {
	for _, key := range [...]string{"code", "http_status", "status", "status_code", "raw_status_code"} {
		n, err := strconv.Atoi(scalar(e[key]))
		if err == nil && n >= 400 && n < 600 && s.inner == 0 {
			s.inner = n
		}
	}
}

// metadata reads OpenRouter's metadata and availability.
func (s *said) metadata(e map[string]any) {
	if m, ok := e["metadata"].(map[string]any); ok {
		for _, key := range [...]string{"reason", "error_type", "limit_source"} {
			s.code(m[key])
		}
		s.quote(m["headers"])
		s.provider = s.provider || str(m["provider_name"]) != ""
		s.byok = s.byok || m["is_byok"] == true
		s.all += s.own(cut(str(m["raw"]), textMax)) + "\n"
	}
	if a, ok := e["availability"].(map[string]any); ok {
		s.code(a["code"])
		if b, ok := a["retryable"].(bool); ok {
			s.retryable = &b
		}
	}
}

// details reads Anthropic's details object and Google's list of typed details
// (google/rpc/error_details.proto).
func (s *said) details(e map[string]any) {
	if d, ok := e["details"].(map[string]any); ok {
		s.code(d["error_code"])
	}
	list, _ := e["details"].([]any)
	for _, v := range list {
		d, _ := v.(map[string]any)
		s.code(d["reason"])
		if wait, ok := hint.Duration(str(d["retryDelay"])); ok {
			s.retryInfo = wait
		}
		violations, _ := d["violations"].([]any)
		for _, v := range violations {
			violation, _ := v.(map[string]any)
			if id := str(violation["quotaId"]); id != "" {
				s.quotaIDs = append(s.quotaIDs, strings.ToLower(id))
				s.quotaValue = str(violation["quotaValue"])
			}
		}
	}
}

// sentence takes a message, and the error that it quotes, if any.
func (s *said) sentence(message string, depth int) {
	s.add(message)
	s.wordless(message)
	if depth >= maxDepth {
		return
	}
	quoted := strings.TrimSpace(s.echo.Cut(message))
	if i := strings.Index(quoted, "Exception - "); i >= 0 {
		quoted = strings.TrimPrefix(quoted[i+len("Exception - "):], "b'")
	}
	if !strings.HasPrefix(quoted, "{") && !strings.HasPrefix(quoted, "[") {
		return
	}
	if v, ok := decode([]byte(quoted)); ok {
		s.take(v, depth+1)
		s.times(v, 0)
	}
}

// code takes a code, which may be a string or a number.
func (s *said) code(v any) {
	said := scalar(v)
	if !s.echo.All { // what the request said is seldom a code
		said = s.echo.Cut(said)
	}
	c := strings.ToLower(strings.TrimSpace(said))
	switch c {
	case "", "none", "null", eventError, eventFailed, eventResponseError:
		return
	}
	s.codes = append(s.codes, cut(c, 128))
	names := nameOf(said)
	s.named |= names
	if !isSentence(c) {
		s.firm |= names
	}
}

// wordless takes a message that is no sentence but a name for a code: {"error":"rate_limit_exceeded"}.
func (s *said) wordless(message string) {
	message = s.echo.Cut(message)
	if len(message) <= 64 && strings.ContainsFunc(message, func(c rune) bool { return c == '_' || c == '-' || unicode.IsUpper(c) }) &&
		!strings.ContainsFunc(message, func(c rune) bool { return c != '_' && c != '-' && c != '.' && !unicode.IsLetter(c) }) {
		s.named |= nameOf(message)
		s.firm |= nameOf(message)
	}
}

// quote takes headers that a body quotes.
func (s *said) quote(v any) {
	quoted, ok := v.(map[string]any)
	if !ok {
		return
	}
	s.headers = make(map[string][]string, len(quoted))
	for name, value := range quoted {
		s.headers[textproto.CanonicalMIMEHeaderKey(name)] = []string{s.echo.Cut(scalar(value))}
	}
}

// scalar returns a string as it is and a number in decimal, "" for all else.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
