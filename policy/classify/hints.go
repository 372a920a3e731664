package classify

import (
	"net/http"
	"time"

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
		if n, ok := decimal(first(h, name)); ok {
			if wait, ok := toWait(n / 1000); ok {
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
	return until(at, httpfield.Clock(h, now))
}

// headerWait reads seconds, or a duration with units.
func headerWait(value string) (time.Duration, bool) {
	if n, ok := decimal(value); ok {
		return toWait(n)
	}
	return duration(value)
}

// until returns the wait to an instant, 0 for one that has passed, and refuses
// one more than a year ahead.
func until(at, now time.Time) (time.Duration, bool) {
	wait := at.Sub(now)
	switch {
	case wait > maxWait:
		return 0, false
	case wait < 0:
		return 0, true
	}
	return wait, true
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
