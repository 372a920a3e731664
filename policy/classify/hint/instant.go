package hint

import (
	"strconv"
	"strings"
	"time"

	"outrigger/internal/lazyregexp"
)

// The parts of instants in lower-cased texts.
const (
	zoneWords  = `\(?(z\b|(?:utc|gmt)?\s?[+-]\d\d?(?::?\d\d)?\b|(?:\+0000 )?(?:utc|gmt)\b|(?:pst|pdt|pt|pacific(?: standard| daylight)?(?: time)?|est|edt)\b)`
	clockWords = `(\d\d?)(?::(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?\s*([ap]\.?m\b\.?)?`
	monthWords = `(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?`
	dayWords   = `(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?`
	atWords    = `(?:,? at |[, t]+)`
)

var (
	// "2026-11-30t00:00:00.5+08:00", "2026-11-30 00:00 utc", "2026-11-30 at 00:00 utc", "2026/11/30".
	isoRE = lazyregexp.New(`^(\d{4})[-/](\d\d?)[-/](\d\d?)(?:` + atWords + clockWords + `)?\s*(?:` + zoneWords + `)?`)
	// "mon, 30 nov 2026 00:00:00 gmt", "30-nov-26", "30 november 2026 at 08:00 utc" (RFC 9110, section 5.6.7).
	dayFirstRE = lazyregexp.New(`^` + dayWords + `(\d\d?)(?:st|nd|rd|th)?[ -](?:of )?` + monthWords + `[ ,-]+(\d{4}|\d\d\b)(?:` + atWords + clockWords + `)?\s*(?:` + zoneWords + `)?`)
	// "nov 30, 2026 at 12:00 am utc", "december 1st (utc)", "dec 1 at 8am utc".
	monthFirstRE = lazyregexp.New(`^` + dayWords + monthWords + ` (\d\d?)(?:st|nd|rd|th)?\b(?:,? (\d{4}))?(?:` + atWords + clockWords + `)?\s*(?:` + zoneWords + `)?`)
	// "00:00 utc", "3 pm (pacific time)", "14:30:00 gmt": the next time that the clock shows it.
	clockRE = lazyregexp.New(`^` + clockWords + `\s*` + zoneWords)
	// "midnight", "midnight utc", "tomorrow", "tomorrow at 08:00 utc".
	midnightRE = lazyregexp.New(`^(?:midnight|tomorrow(?: at midnight)?)\b\s*(?:` + zoneWords + `)?`)
	tomorrowRE = lazyregexp.New(`^tomorrow(?:,| at)? ` + clockWords + `\s*(?:` + zoneWords + `)?`)
	// "the start of the next month", "next month", "the end of the day".
	turnRE  = lazyregexp.New(`^(?:the )?(?:(?:start|beginning|top|first day|1st) of (?:the |your )?)?(?:next|new|following|end of (?:the |this )?(?:current )?)\s?(minute|hour|day|month)\b`)
	epochRE = lazyregexp.New(`^(\d{13}|\d{10})(?:\.\d+)?(?:\D|$)`)
)

// beijing is the zone in which z.ai and Zhipu write times without one. It is also the careful guess: of the zones in
// use it gives almost the earliest instant, and coming too early costs one probe.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// instantIn reads the instant with which a lower-cased text begins, and that lies ahead of now; zero if there is none.
func instantIn(text string, now time.Time) time.Time {
	var at time.Time
	if m := epochRE.FindStringSubmatch(text); m != nil {
		n, _ := strconv.ParseFloat(m[1], 64)
		at = Epoch(n)
	} else if m := isoRE.FindStringSubmatch(text); m != nil {
		at = date(m[1], m[2], m[3], m[4:8], m[8], now)
	} else if m := dayFirstRE.FindStringSubmatch(text); m != nil {
		at = date(m[3], m[2], m[1], m[4:8], m[8], now)
	} else if m := monthFirstRE.FindStringSubmatch(text); m != nil {
		at = date(m[3], m[1], m[2], m[4:8], m[8], now)
	} else if m := tomorrowRE.FindStringSubmatch(text); m != nil {
		at = daily(m[1:5], m[5], now.Add(24*time.Hour).Truncate(24*time.Hour).Add(-1))
	} else if m := midnightRE.FindStringSubmatch(text); m != nil {
		at = daily([]string{"0", "", "", ""}, m[1], now)
	} else if m := clockRE.FindStringSubmatch(text); m != nil && m[2]+m[4] != "" {
		at = daily(m[1:5], m[5], now)
	} else if m := turnRE.FindStringSubmatch(text); m != nil {
		at = turn(m[1], now)
	}
	if wait, ok := Until(at, now); !ok || wait == 0 {
		return time.Time{}
	}
	return at.UTC()
}

// date makes an instant of its parts. Without a year it is the next of its kind. Without a zone it is Beijing's, or if
// that has passed UTC's.
func date(year, month, day string, clock []string, zone string, now time.Time) time.Time {
	y, _ := strconv.Atoi(year)
	mon, err := strconv.Atoi(month)
	if err != nil {
		mon = strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", month)/3 + 1
	}
	d, _ := strconv.Atoi(day)
	hour, minute, second, ok := timeOfDay(clock)
	if !ok || mon < 1 || mon > 12 || d < 1 || d > 31 {
		return time.Time{}
	}
	if len(year) == 2 {
		y += 2000
	}
	in := func(z *time.Location) time.Time {
		if year != "" {
			return time.Date(y, time.Month(mon), d, hour, minute, second, 0, z)
		}
		at := time.Date(now.Year(), time.Month(mon), d, hour, minute, second, 0, z)
		if at.Before(now.Add(-24 * time.Hour)) {
			at = at.AddDate(1, 0, 0)
		}
		return at
	}
	if z := zoneOf(zone); z != nil {
		return in(z)
	}
	if at := in(beijing); at.After(now) {
		return at
	}
	return in(time.UTC)
}

// daily returns the next instant at which the clock of a zone shows this time; without a zone UTC's.
func daily(clock []string, zone string, now time.Time) time.Time {
	hour, minute, second, ok := timeOfDay(clock)
	if !ok {
		return time.Time{}
	}
	z := zoneOf(zone)
	if z == nil {
		z = time.UTC
	}
	there := now.In(z)
	at := time.Date(there.Year(), there.Month(), there.Day(), hour, minute, second, 0, z)
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// turn returns the next beginning of a unit of time, in UTC.
func turn(unit string, now time.Time) time.Time {
	now = now.UTC()
	switch unit {
	case "minute":
		return now.Truncate(time.Minute).Add(time.Minute)
	case "hour":
		return now.Truncate(time.Hour).Add(time.Hour)
	case "day":
		return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// timeOfDay reads hour, minute, second and am or pm, each of which may be "": midnight then.
func timeOfDay(clock []string) (int, int, int, bool) {
	hour, _ := strconv.Atoi(clock[0])
	minute, _ := strconv.Atoi(clock[1])
	second, _ := strconv.Atoi(clock[2])
	if half := clock[3]; half != "" {
		if hour < 1 || hour > 12 {
			return 0, 0, 0, false
		}
		hour %= 12
		if half[0] == 'p' {
			hour += 12
		}
	}
	return hour, minute, second, hour <= 24 && minute < 60 && second <= 60
}

// zoneOf returns the zone that a text names, nil for none. Pacific time is taken for its summer time, the earlier one.
func zoneOf(text string) *time.Location {
	switch {
	case text == "":
		return nil
	case text == "pst":
		return time.FixedZone("PST", -8*3600)
	case text == "est":
		return time.FixedZone("EST", -5*3600)
	case text == "edt":
		return time.FixedZone("EDT", -4*3600)
	case text[0] == 'p':
		return time.FixedZone("PDT", -7*3600)
	}
	i := strings.IndexAny(text, "+-")
	if i < 0 {
		return time.UTC
	}
	offset := strings.ReplaceAll(strings.TrimRight(text[i+1:], " utcgm"), ":", "")
	n, _ := strconv.Atoi(offset)
	hours, minutes := n, 0
	if len(offset) > 2 {
		hours, minutes = n/100, n%100
	}
	if hours > 14 || minutes > 59 {
		return nil
	}
	east := hours*3600 + minutes*60
	if text[i] == '-' {
		east = -east
	}
	return time.FixedZone(text, east)
}

// Epoch reads seconds or milliseconds since 1970. Values before 2001 are no instants: zero.
func Epoch(n float64) time.Time {
	const earliest = 1e9
	switch {
	case n >= earliest*1000 && n < 1e14:
		return time.UnixMilli(int64(n)).UTC()
	case n >= earliest && n < 1e11:
		return time.Unix(int64(n), 0).UTC()
	}
	return time.Time{}
}

// Until returns the wait to an instant, 0 for one that has passed, and refuses
// one more than a year ahead.
func Until(at, now time.Time) (time.Duration, bool) {
	wait := at.Sub(now)
	switch {
	case wait > Max:
		return 0, false
	case wait < 0:
		return 0, true
	}
	return wait, true
}
