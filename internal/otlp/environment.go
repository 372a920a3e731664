package otlp

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	prefix   = "OTEL_"
	exporter = prefix + "EXPORTER_OTLP_"

	endpointVariable = exporter + "ENDPOINT"
	tracesEndpoint   = exporter + "TRACES_ENDPOINT"
)

// environment is the OTEL_* variables that are set and not empty, which is the same as not
// set, and what is wrong with them.
type environment struct {
	values   map[string]string
	mistakes []string
}

// Load reads the settings of traces from an environment, whose entries are NAME=value. Traces
// are on if an OTLP endpoint is set. It returns what is wrong with a variable too, for the
// log: such a one counts as not set. Values are not quoted: they may be secret.
func Load(environ []string) (Settings, []string) {
	e := environment{values: map[string]string{}}
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, prefix) && strings.TrimSpace(value) != "" {
			e.values[name] = strings.TrimSpace(value)
		}
	}
	if e.values[endpointVariable] == "" && e.values[tracesEndpoint] == "" {
		return Settings{}, nil
	}
	s := Settings{URL: e.endpoint()}
	if s.Explanation = e.off(); s.Explanation != "" || s.URL == nil {
		s.URL = nil
		return s, e.mistakes
	}
	s.Headers = e.headers()
	s.Timeout = e.milliseconds("TIMEOUT", 10*time.Second)
	s.Gzip = e.gzip()
	s.TLS = e.tls()
	s.Join = e.join()
	s.Sampler = e.sampler()
	s.Resource = e.resource()
	s.Batch = e.batch()
	s.Limits = e.limits()
	return s, e.mistakes
}

func (e *environment) mistake(name, format string, args ...any) {
	e.mistakes = append(e.mistakes, name+": "+fmt.Sprintf(format, args...))
}

// exporter returns the value of an exporter's variable and its name. That of traces goes
// before the one that all signals have in common.
func (e *environment) exporter(name string) (string, string) {
	if value := e.values[exporter+"TRACES_"+name]; value != "" {
		return value, exporter + "TRACES_" + name
	}
	return e.values[exporter+name], exporter + name
}

// off says why traces are off although an endpoint is set.
func (e *environment) off() string {
	switch value := e.values["OTEL_SDK_DISABLED"]; strings.ToLower(value) {
	case "true":
		return "OTEL_SDK_DISABLED is true"
	case "", "false":
	default:
		e.mistake("OTEL_SDK_DISABLED", "neither true nor false")
	}
	if names := e.values["OTEL_TRACES_EXPORTER"]; names != "" && !slices.Contains(list(names), "otlp") {
		if names != "none" {
			e.mistake("OTEL_TRACES_EXPORTER", "only otlp and none are known")
		}
		return "OTEL_TRACES_EXPORTER does not name otlp"
	}
	if protocol, name := e.exporter("PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		e.mistake(name, "only http/protobuf is spoken, to port 4318 of most collectors")
		return name + " is not http/protobuf"
	}
	return ""
}

// endpoint returns where spans go. The variable for all signals is the base of each one's
// path, that for traces is complete.
func (e *environment) endpoint() *url.URL {
	for _, name := range []string{tracesEndpoint, endpointVariable} {
		value := e.values[name]
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			e.mistake(name, "not an http or https URL")
			continue
		}
		if name == endpointVariable {
			u = u.JoinPath("v1/traces")
		} else if u.Path == "" {
			u.Path = "/"
		}
		return u
	}
	return nil
}

func (e *environment) headers() map[string]string {
	value, name := e.exporter("HEADERS")
	headers := map[string]string{}
	for _, entry := range list(value) {
		key, text, found := strings.Cut(entry, "=")
		key = strings.TrimSpace(key)
		decoded, err := url.PathUnescape(strings.TrimSpace(text))
		if !found || err != nil || !isToken(key) || strings.ContainsAny(decoded, "\r\n\x00") {
			e.mistake(name, "an entry is not NAME=value, with the value percent-encoded")
			continue
		}
		headers[key] = decoded
	}
	return headers
}

// isToken reports whether text can name a header (RFC 9110, section 5.6.2).
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func (e *environment) gzip() bool {
	value, name := e.exporter("COMPRESSION")
	if value != "" && value != "gzip" && value != "none" {
		e.mistake(name, "neither gzip nor none")
	}
	return value == "gzip"
}

// join reports whether W3C trace context is read and sent. Other formats are not.
func (e *environment) join() bool {
	value := e.values["OTEL_PROPAGATORS"]
	for _, name := range list(value) {
		switch name {
		case "tracecontext", "baggage", "none": // baggage passes as any header does
		default:
			e.mistake("OTEL_PROPAGATORS", "only tracecontext, baggage and none are known")
		}
	}
	return value == "" || slices.Contains(list(value), "tracecontext")
}

func (e *environment) milliseconds(name string, otherwise time.Duration) time.Duration {
	value, name := e.exporter(name)
	return e.span(value, name, otherwise)
}

func (e *environment) span(value, name string, otherwise time.Duration) time.Duration {
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > int((24*time.Hour).Milliseconds()) {
		e.mistake(name, "not a number of milliseconds up to a day")
		return otherwise
	}
	if n == 0 {
		return otherwise // the specification has 0 for no limit, which would hold a request for ever
	}
	return time.Duration(n) * time.Millisecond
}

// count returns a whole number between 1 and most.
func (e *environment) count(name string, otherwise, most int) int {
	value := e.values[name]
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		e.mistake(name, "not a whole number from 1 to %d", most)
		return otherwise
	}
	return n
}

// list splits a list at its commas.
func list(text string) []string {
	var entries []string
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}
