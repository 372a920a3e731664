package hint

import (
	"math"
	"strconv"
	"strings"
	"time"

	"outrigger/internal/lazyregexp"
)

// Max is the longest wait that is believed to be one. No allowance is for longer than a year;
// what exceeds it is a mistaken unit or garbage.
const Max = 366 * 24 * time.Hour

// units are the units that texts and headers write: "7m12s", "28ms", "37.4s", "1.984999999s",
// "45 seconds", "1 hour and 5 minutes".
var units = map[string]time.Duration{
	"ms": time.Millisecond, "msec": time.Millisecond, "msecs": time.Millisecond, "millis": time.Millisecond,
	"millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"毫秒": time.Millisecond, "秒": time.Second, "分钟": time.Minute, "小时": time.Hour, "天": 24 * time.Hour,
	"week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

// digits is a number with or without a fraction and thousands separators.
const digits = `(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?`

var (
	// spanRE is one number with its unit. The unit takes all letters, so that "in 3 different
	// ways" is not three days.
	spanRE = lazyregexp.New(`^(?:\s|,|and\b)*(` + digits + `)\s*(?:more |additional |further )?([a-z]+|毫秒|秒|分钟|小时|天)`)
	// rangeRE is the lower end of a range, of which the upper end counts: "5-10 seconds".
	rangeRE = lazyregexp.New(`^` + digits + `\s*(?:-|–|to|or|and)\s*(` + digits + `\s*[a-z])`)
	// wordRE is a small number in words.
	wordRE = lazyregexp.New(`^(an?|another|one|two|three|four|five|ten|fifteen|twenty|thirty|sixty|half an?)\s+([a-z]+)`)
	// clockSpanRE is hours, minutes and seconds: "00:01:30".
	clockSpanRE = lazyregexp.New(`^(\d{1,3}):([0-5]\d):([0-5]\d)(\.\d+)?(?:[^\d:]|$)`)
	// isoSpanRE is a duration of ISO 8601, section 5.5.2: "pt1m30s".
	isoSpanRE = lazyregexp.New(`^p(?:(\d+)d)?t((?:\d+(?:\.\d+)?[hms])+)$`)
)

var numberWords = map[string]float64{
	"a": 1, "an": 1, "another": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "fifteen": 15,
	"twenty": 20, "thirty": 30, "sixty": 60, "half a": 0.5, "half an": 0.5,
}

// Duration reads a text that is a duration with units and nothing else. It refuses what is longer than a year.
func Duration(text string) (time.Duration, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if m := isoSpanRE.FindStringSubmatch(text); m != nil {
		if m[1] != "" {
			m[2] = m[1] + "d" + m[2]
		}
		text = m[2]
	}
	wait, rest, ok := leading(text)
	if !ok || rest != "" {
		return 0, false
	}
	return wait, true
}

// leading reads the duration with which a lower-cased text begins, and returns what follows it.
func leading(text string) (time.Duration, string, bool) {
	if m := clockSpanRE.FindStringSubmatchIndex(text); m != nil {
		h, _ := strconv.Atoi(text[m[2]:m[3]])
		minutes, _ := strconv.Atoi(text[m[4]:m[5]])
		seconds, _ := strconv.Atoi(text[m[6]:m[7]])
		wait, ok := Seconds(float64(h*3600 + minutes*60 + seconds))
		return wait, text[max(m[7], m[9]):], ok
	}
	if m := rangeRE.FindStringSubmatchIndex(text); m != nil {
		text = text[m[2]:]
	}
	total, found := 0.0, false
	for {
		m := spanRE.FindStringSubmatch(text)
		if m == nil || units[m[2]] == 0 {
			break
		}
		n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
		if err != nil {
			return 0, text, false
		}
		total += n * units[m[2]].Seconds()
		text, found = text[len(m[0]):], true
	}
	if m := wordRE.FindStringSubmatch(text); m != nil && !found && units[m[2]] != 0 {
		total, text, found = numberWords[m[1]]*units[m[2]].Seconds(), text[len(m[0]):], true
	}
	wait, ok := Seconds(total)
	return wait, text, found && ok
}

// Seconds turns seconds, which are not negative, into a wait. NaN and what exceeds Max are refused.
func Seconds(seconds float64) (time.Duration, bool) {
	if !(seconds <= Max.Seconds()) { // NaN too
		return 0, false
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), true
}

// Decimal reads a plain decimal number without a sign. ParseFloat alone would take "-1", "NaN", "Inf" and "0x1p3".
func Decimal(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
