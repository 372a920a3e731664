package classify

import (
	"net/http"
	"strings"
	"time"

	"outrigger/policy/classify/hint"
	"outrigger/policy/httpfield"
)

// RetryAfter returns the wait that an answer's headers ask for, and whether they ask:
// retry-after-ms and x-ms-retry-after-ms (Azure, OpenAI), then Retry-After in seconds, with or without a
// fraction, as a duration with units, or as a date, which is by the clock of the answer's own Date. A date in the past
// means no wait: 0, true. Malformed,
// negative and infinite values, and any above a year, are refused: 0, false. Names are canonical.
// Sources: RFC 9110, section 10.2.3; the order is that of openai-python's _parse_retry_after_header.
func RetryAfter(h map[string][]string, now time.Time) (time.Duration, bool) {
	if wait, ok := millis(h); ok {
		return wait, true
	}
	return retryAfter(h, now)
}

// millis reads the hints in milliseconds.
func millis(h map[string][]string) (time.Duration, bool) {
	for _, name := range [...]string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if n, ok := hint.Decimal(first(h, name)); ok {
			if wait, ok := hint.Seconds(n / 1000); ok {
				return wait, true
			}
		}
	}
	return 0, false
}

// retryAfter reads Retry-After alone.
func retryAfter(h map[string][]string, now time.Time) (time.Duration, bool) {
	value := first(h, "Retry-After")
	if wait, ok := headerWait(value); ok {
		return wait, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return hint.Until(at, httpfield.Clock(h, now))
}

// headerWait reads seconds, or a duration with units.
func headerWait(value string) (time.Duration, bool) {
	if n, ok := hint.Decimal(value); ok {
		return hint.Seconds(n)
	}
	return hint.Duration(value)
}

// rounding is how much a whole-second Retry-After may exceed the wait that it was rounded from.
const rounding = time.Second

// hint returns the wait that the answer as a whole asks for, 0 when it asks for none.
//
// The exact sources come first: a text or field counts for this request alone, while Retry-After is rounded up
// from it (Groq: 12 for 11.455 s). If a later one is longer by more than rounding, it counts:
// each is a least wait, and too short a wait is refused again. Reset headers tell when the
// bucket is full, not when this request fits, so they are the last resort. The second result
// says that it is one of them.
func (r *reply) hint() (time.Duration, bool) {
	ms, _ := millis(r.Header)
	header, _ := retryAfter(r.Header, r.Now)
	quoted, _ := RetryAfter(r.headers, r.clock)
	field := r.retryAfter
	if field == 0 && r.retryAt.IsZero() {
		field = r.resetAfter
	}
	var wait time.Duration
	for _, w := range [...]time.Duration{ms, r.retryInfo, r.textWait, field, quoted, header} {
		if wait == 0 || w > wait+rounding {
			wait = w
		}
	}
	if wait == 0 && r.status == http.StatusTooManyRequests {
		wait = r.resetWait()
		return wait, wait > 0
	}
	return wait, false
}

// until returns the instant, by the machine's clock, at which the answer says that service comes back; zero if it names
// none that lies ahead.
func (r *reply) until() time.Time {
	at := r.retryAt
	if at.IsZero() && r.retryAfter == 0 {
		at = r.resetsAt
	}
	if at.IsZero() {
		at = r.textAt
	}
	if _, ok := hint.Until(at, r.clock); !ok || !at.After(r.clock) {
		return time.Time{}
	}
	return r.Now.Add(at.Sub(r.clock)).UTC()
}

// unsaid are members that hold what the caller sent, what an answer is about, or headers, which are read as such.
var unsaid = codes(`request input inputs messages prompt params parameters arguments output choices ctx tools instructions
	headers body response usage data`)

// Bounds of the search.
const (
	maxHintDepth = 8
	maxHintNodes = 500
)

// times takes in the hints of all members of a decoded error, at any depth.
func (s *said) times(v any, depth int) {
	if s.nodes++; depth > maxHintDepth || s.nodes > maxHintNodes {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			s.times(e, depth+1)
		}
	case map[string]any:
		for name, e := range v {
			if unsaid[strings.ToLower(name)] {
				continue
			}
			if s.echo.None() || !s.echo.Holds(name) && !s.echo.Holds(scalar(e)) {
				s.time(fieldHint(name, e, s.clock))
			}
			s.times(e, depth+1)
		}
		if inner, ok := v["response"].(map[string]any); ok {
			s.times(inner["error"], depth+1)
		}
	}
}

// time takes in one hint. Of several of a kind the longest counts.
func (s *said) time(h hint.Time) {
	later := func(at *time.Time) {
		if h.At.After(*at) {
			*at = h.At
		}
	}
	switch h.Kind {
	case hint.Retry:
		s.retryAfter = max(s.retryAfter, h.Wait)
		later(&s.retryAt)
	case hint.Reset:
		s.resetAfter = max(s.resetAfter, h.Wait)
		later(&s.resetsAt)
	case hint.Loading:
		s.estimated = max(s.estimated, h.Wait)
	}
}

// fieldHint reads the time in one member of an object.
func fieldHint(name string, v any, now time.Time) hint.Time {
	if hint.KindOf(name) == hint.None {
		return hint.Time{}
	}
	if o, ok := v.(map[string]any); ok {
		v = o["seconds"] // protobuf's Duration and Timestamp, written as messages
	}
	return hint.InField(name, scalar(v), now)
}
