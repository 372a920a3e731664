package headers

import (
	"strconv"
	"strings"
	"time"

	"outrigger/policy/httpfield"
)

// clock tells the server's time of an answer, read from its headers only when it is needed.
type clock struct {
	header map[string][]string
	at     time.Time // by the machine's clock
}

func (c clock) now() time.Time { return httpfield.Clock(c.header, c.at) }

// MaxReset is the longest reset that is believed, and MaxCount the largest limit: far over any
// provider's, and small enough that thousandths of it are exact in float64 and int64.
const (
	MaxReset = 31 * 24 * time.Hour
	MaxCount = 1_000_000_000_000
)

// epochSeconds is from where on a bare number is an instant, not a wait: seconds
// since 1970, or milliseconds if it is over a thousand times that (OpenRouter).
const epochSeconds = 1e9

// parseReset reads a time until reset, and the smallest step its notation shows:
// "6m0s", "2m59.56s", "120ms", "1d2h" (OpenAI, Groq), bare seconds (Azure,
// Together, Cerebras), an RFC 3339 instant (Anthropic), an epoch (OpenRouter). An
// instant that has passed is a wait of 0.
func parseReset(s string, answered clock) (time.Duration, time.Duration, bool) {
	s = strings.TrimSpace(s)
	d, step, ok := parseBare(s, answered)
	if !ok {
		d, step, ok = parseUnits(s)
	}
	if !ok {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return 0, 0, false
		}
		d, step, ok = max(0, t.Sub(answered.now())), decimals(s[:len(s)-len(strings.TrimLeft(s, "0123456789-:T."))], time.Second), true
	}
	if d < 0 || d > MaxReset {
		return 0, 0, false
	}
	return d, step, ok
}

// parseBare reads a number without a unit.
func parseBare(s string, answered clock) (time.Duration, time.Duration, bool) {
	if s == "" || s[len(s)-1] > '9' {
		return 0, 0, false // a unit: strconv would make an error of it
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0) || n > 1e15 {
		return 0, 0, false
	}
	switch {
	case n >= epochSeconds*1000:
		return max(0, time.UnixMilli(int64(n)).Sub(answered.now())), time.Millisecond, true
	case n >= epochSeconds:
		return max(0, time.Unix(int64(n), 0).Sub(answered.now())), time.Second, true
	case n > MaxReset.Seconds():
		return 0, 0, false
	}
	return time.Duration(n * float64(time.Second)), decimals(s, time.Second), true
}

// parseUnits reads numbers with units, the days that time.ParseDuration lacks too.
func parseUnits(s string) (time.Duration, time.Duration, bool) {
	var days time.Duration
	rest := s
	if i := strings.IndexByte(s, 'd'); i > 0 {
		n, err := strconv.ParseUint(s[:i], 10, 8)
		if err != nil {
			return 0, 0, false
		}
		days, rest = time.Duration(n)*24*time.Hour, s[i+1:]
	}
	if rest == "" {
		return days, time.Second, days > 0
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d > MaxReset {
		return 0, 0, false
	}
	unit := time.Second
	switch {
	case strings.HasSuffix(rest, "ms"):
		unit = time.Millisecond
	case strings.HasSuffix(rest, "µs"), strings.HasSuffix(rest, "us"):
		unit = time.Microsecond
	case strings.HasSuffix(rest, "ns"):
		unit = time.Nanosecond
	}
	return days + d, decimals(strings.TrimRight(rest, "hmsuµn"), unit), true
}

// decimals is the smallest step of a number as it is written, in a unit.
func decimals(s string, unit time.Duration) time.Duration {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return unit
	}
	for range len(s) - i - 1 {
		unit /= 10
	}
	return max(unit, 1)
}
