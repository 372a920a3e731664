package classify

import (
	"strconv"
	"strings"
	"time"

	"outrigger/internal/lazyregexp"
	"outrigger/policy/classify/hint"
)

// number matches 30000, 20,000, 9.0 and Groq's ~12903.
const number = `~?(\d[\d,]*(?:\.\d+)?)`

var (
	// "Limit 30000", "Limit: 25/5min", "limit: 32000"; with the window if it is there.
	limitRE = lazyregexp.New(`\b(?:limit|max (?:rpm|tpm|rpd|tpd|concurrency)):?\s*` + number +
		`(?:\s*/\s*(\d*)\s*(seconds?|sec|s|minutes?|min|hours?|hr|h|days?|d)\b)?`)
	// "Used 14567", "Current: 27/5min".
	usedRE      = lazyregexp.New(`\b(?:used|current):?\s*` + number)
	requestedRE = lazyregexp.New(`\brequested:?\s*` + number)
	// xAI: "(actual/limit): 65605/16000".
	actualRE = lazyregexp.New(`\(actual/limit\):\s*` + number + `\s*/\s*` + number)
	// "tokens per min", "queries per minute", "of 20,000 input tokens per minute".
	perRE = lazyregexp.New(`(?:` + number + `\s+)?\b(input |output )?(tokens?|requests?|queries|images?|audio seconds)` +
		` per (second|sec|minute|min|hour|day|month)`)
	// GitHub Models: "Rate limit of 10 per 60s exceeded".
	ofRE = lazyregexp.New(`limit of ` + number + ` per (\d+)s\b`)
	// "10 requests per 60 seconds", "1 request every 5 minutes".
	everyRE = lazyregexp.New(`(?:^|[^\d.,])` + number + `\s+(input |output )?(tokens?|requests?|queries|calls|images?) (?:per|every) (\d{1,5})\s*(s|sec|seconds?|m|min|minutes?|h|hours?)\b`)
	// RPM, TPM, RPD, TPD, IPM and so on.
	shortRE = lazyregexp.New(`\b(?:(rp|tp)([smhd])|(ip)([md])|(as)([hd]))\b`)
)

// limits reads the numbers of a refusal, as OpenAI, Groq, xAI, Together, Anthropic, Moonshot and Google word it.
func (r *reply) limits() Limits {
	var l Limits
	if m := actualRE.FindStringSubmatch(r.text); m != nil {
		l.Used, l.Limit = count(m[1]), count(m[2])
	} else if m := ofRE.FindStringSubmatch(r.text); m != nil {
		l.Limit, l.Window = count(m[1]), time.Duration(min(count(m[2]), hint.Max.Seconds()))*time.Second
	} else if m := everyRE.FindStringSubmatch(r.text); m != nil {
		l.Limit, l.Dimension = count(m[1]), plural(strings.TrimSpace(m[2]), m[3])
		l.Window = time.Duration(count(m[4])) * windowOf(m[5])
	} else if m := limitRE.FindStringSubmatch(r.text); m != nil {
		l.Limit = count(m[1])
		if m[3] != "" {
			l.Window = time.Duration(min(max(count(m[2]), 1), 1000)) * windowOf(m[3])
		}
		l.Used = find(usedRE, r.text)
		l.Requested = find(requestedRE, r.text)
	}
	r.perWindow(&l)
	r.google(&l)
	r.vague(&l)
	return l
}

// perWindow reads the dimension and the window where the text spells them out.
func (r *reply) perWindow(l *Limits) {
	if m := shortRE.FindStringSubmatch(r.text); m != nil {
		l.Dimension = map[string]string{"rp": "requests", "tp": "tokens", "ip": "images", "as": "audio_seconds"}[m[1]+m[3]+m[5]]
		l.Window = orElse(l.Window, windowOf(m[2]+m[4]+m[6]))
	}
	if m := perRE.FindStringSubmatch(r.text); m != nil {
		l.Dimension = plural(strings.TrimSpace(m[2]), m[3])
		if l.Limit == 0 && m[1] != "" {
			l.Limit = count(m[1])
		}
		l.Window = orElse(l.Window, windowOf(m[4]))
	}
}

// google reads a quota's id and value: GenerateContentInputTokensPerModelPerMinute-FreeTier, 250000.
func (r *reply) google(l *Limits) {
	for _, id := range r.quotaIDs {
		if strings.Contains(id, "bytes") || strings.Contains(id, "storage") {
			continue // what is kept: no rate
		}
		switch {
		case strings.Contains(id, "perday"):
			l.Window = 24 * time.Hour
		case strings.Contains(id, "perminute"):
			l.Window = orElse(l.Window, time.Minute)
		}
		switch {
		case strings.Contains(id, "inputtoken"):
			l.Dimension = "input_tokens"
		case strings.Contains(id, "token"):
			l.Dimension = "tokens"
		case strings.Contains(id, "request"):
			l.Dimension = "requests"
		}
		if l.Limit == 0 {
			l.Limit = count(r.quotaValue)
		}
	}
}

// vague reads what is left: the type that OpenAI and Groq name after the dimension, Azure's wording,
// and a window without numbers. A text that names the minute and the day ("per-minute or per-day
// cap", aiand) says nothing.
func (r *reply) vague(l *Limits) {
	if l.Dimension == "" {
		switch t := r.own(r.fields.Type); {
		case l.Window == 0 && saysAny(r.text, "concurren", "simultaneous", "parallel requests"):
			l.Dimension = "concurrency"
		case t == "requests" || t == "tokens" || t == "images":
			l.Dimension = t
		case saysAny(r.text, "token rate limit", "request tokens"):
			l.Dimension = "tokens"
		case saysAny(r.text, "call rate limit", "requests rate limit"):
			l.Dimension = "requests"
		}
	}
	if l.Window != 0 {
		return
	}
	minute := saysAny(r.text, "per minute", "per-minute", "per min", "per-min", "/min")
	day := saysAny(r.text, "per day", "per-day", "daily", "/day")
	switch {
	case minute && !day:
		l.Window = time.Minute
	case day && !minute:
		l.Window = 24 * time.Hour
	}
}

// windowOf returns the time that a unit names by its first letters.
func windowOf(unit string) time.Duration {
	switch {
	case strings.HasPrefix(unit, "mo"):
		return 30 * 24 * time.Hour
	case unit[0] == 's':
		return time.Second
	case unit[0] == 'h':
		return time.Hour
	case unit[0] == 'd':
		return 24 * time.Hour
	}
	return time.Minute
}

// plural returns the dimension for what a text counts.
func plural(kind, counted string) string {
	switch counted[0] {
	case 'q', 'r', 'c':
		return "requests"
	case 'i':
		return "images"
	case 'a':
		return "audio_seconds"
	}
	if kind != "" {
		return kind + "_tokens"
	}
	return "tokens"
}

// find returns the first number that re captures, 0 if none.
func find(re *lazyregexp.Regexp, text string) float64 {
	if m := re.FindStringSubmatch(text); m != nil {
		return count(m[1])
	}
	return 0
}

// count reads a number with thousands separators; 0 for what is none or beyond all limits.
func count(text string) float64 {
	n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil || n > 1e15 {
		return 0
	}
	return n
}

func orElse(d, other time.Duration) time.Duration {
	if d != 0 {
		return d
	}
	return other
}
