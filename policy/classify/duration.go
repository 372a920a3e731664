package classify

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxWait is the longest wait that is believed to be one. No allowance is for longer than a year;
// what exceeds it is a mistaken unit or garbage.
const maxWait = 366 * 24 * time.Hour

// units are the units that texts and headers write: "7m12s", "28ms", "37.4s", "1.984999999s",
// "45 seconds", "1 hour and 5 minutes".
var units = map[string]time.Duration{
	"ms": time.Millisecond, "msec": time.Millisecond, "msecs": time.Millisecond,
	"millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

// spanRE is one number with its unit. The unit takes all letters, so that "in 3 different
// ways" is not three days.
var spanRE = regexp.MustCompile(`^(?:\s|,|and\b)*(\d+(?:\.\d+)?)\s*([a-z]+)`)

// duration reads a text that is a duration with units and nothing else. It refuses what is longer than a year.
func duration(text string) (time.Duration, bool) {
	wait, rest, ok := leading(strings.ToLower(strings.TrimSpace(text)))
	if !ok || rest != "" {
		return 0, false
	}
	return wait, true
}

// leading reads the duration with which a lower-cased text begins, and returns what follows it.
func leading(text string) (time.Duration, string, bool) {
	total, found := 0.0, false
	for {
		m := spanRE.FindStringSubmatch(text)
		if m == nil || units[m[2]] == 0 {
			break
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, text, false
		}
		total += n * units[m[2]].Seconds()
		text, found = text[len(m[0]):], true
	}
	wait, ok := toWait(total)
	return wait, text, found && ok
}

// toWait turns seconds, which are not negative, into a wait. NaN and what exceeds maxWait are refused.
func toWait(seconds float64) (time.Duration, bool) {
	if !(seconds <= maxWait.Seconds()) { // NaN too
		return 0, false
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), true
}

// decimal reads a plain decimal number without a sign. ParseFloat alone would take "-1", "NaN", "Inf" and "0x1p3".
func decimal(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
