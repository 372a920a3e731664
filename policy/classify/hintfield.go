package classify

import (
	"strings"
	"time"
	"unicode"
)

// fieldKind is what a field's time means.
type fieldKind uint8

const (
	notHint      fieldKind = iota
	retryField             // when to come again: retry_after, cooldown, blocked_until, nextAvailableAt
	resetField             // when all is there again: resets_in, reset_time, quotaResetTimeStamp
	loadingField           // when something is ready: estimated_time, eta
)

// fieldTime is the time that a field tells: a wait or an instant.
type fieldTime struct {
	kind fieldKind
	wait time.Duration
	at   time.Time
}

// The words of fields' names.
var (
	retryWords   = words(`retry wait cooldown cool backoff back available unblock unblocked unlock unlocks lifted next again retrydelay retryafter`)
	untilWords   = words(`blocked banned locked limited throttled suspended paused until`)
	resetWords   = words(`reset resets resetting refill refills replenish replenishes renew renews renewal restore restored recover recovers recovery`)
	loadingWords = words(`estimated expected eta`)
	// timely are the last words of names that hold times, units aside.
	timely = words(`after in at on until till delay time date for wait cooldown down backoff off interval reset resets left eta
		duration period retryafter retrydelay`)
	unitWords = map[string]time.Duration{
		"ms": time.Millisecond, "millis": time.Millisecond, "msec": time.Millisecond, "milliseconds": time.Millisecond,
		"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
		"min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
		"hour": time.Hour, "hours": time.Hour,
		"utc": 0, "unix": 0, "epoch": 0, "iso": 0, "stamp": 0, "timestamp": 0,
	}
	// otherWords make a name mean something else: retry_count, plan_renews_at, max_wait_seconds, reset_window.
	otherWords = words(`max maximum count counts attempts attempt retries number num url uri link policy strategy plan subscription
		billing trial membership contract cycle invoice password queue queued elapsed total timeout timed page cursor
		tokens requests token key model`)
)

// wordsOf splits a name such as "retryAfterMs", "reset-time" or "resets_in" into lower-cased words.
func wordsOf(name string) []string {
	var list []string
	start, lower := 0, false
	cutAt := func(end, next int) {
		if end > start {
			list = append(list, strings.ToLower(name[start:end]))
		}
		start = next
	}
	for i, c := range name {
		switch {
		case !unicode.IsLetter(c):
			cutAt(i, i+len(string(c)))
			lower = false
		case unicode.IsUpper(c) && lower:
			cutAt(i, i)
			lower = false
		default:
			lower = unicode.IsLower(c)
		}
	}
	cutAt(len(name), len(name))
	return list
}

// maxName bounds the names that are looked at.
const maxName = 64

// fieldOf returns what a field's time means by the words of its name, and the unit of a bare number.
func fieldOf(name string) (fieldKind, time.Duration) {
	if len(name) > maxName {
		return notHint, 0
	}
	list := wordsOf(name)
	k := notHint
	for _, w := range list {
		switch {
		case otherWords[w]:
			return notHint, 0
		case retryWords[w], untilWords[w]:
			k = retryField
		case resetWords[w] && k != retryField:
			k = resetField
		case loadingWords[w] && k == notHint:
			k = loadingField
		}
	}
	if k == notHint {
		return k, 0
	}
	unit, named := time.Second, false
	for len(list) > 1 {
		u, ok := unitWords[list[len(list)-1]]
		if !ok {
			break
		}
		if u > 0 {
			unit = u
		}
		list, named = list[:len(list)-1], true
	}
	switch last := list[len(list)-1]; {
	case last == "until" && strings.Contains(strings.Join(list, " "), "available"):
		return notHint, 0 // the end of it
	case k == resetField && (last == "interval" || last == "period" || last == "duration"):
		return notHint, 0 // how long a limit is for
	case timely[last], named && (retryWords[last] || resetWords[last]) && last != "available" && last != "next":
		return k, unit
	}
	return notHint, 0
}

// fieldHint reads the time in one member of an object, by the words of its name.
func fieldHint(name string, v any, now time.Time) fieldTime {
	k, unit := fieldOf(name)
	if k == notHint {
		return fieldTime{}
	}
	h := fieldTime{kind: k}
	if o, ok := v.(map[string]any); ok {
		v = o["seconds"] // protobuf's Duration and Timestamp, written as messages
	}
	text := strings.ToLower(strings.TrimSpace(scalar(v)))
	if len(text) > maxName {
		return fieldTime{}
	}
	if n, ok := decimal(text); ok {
		if h.at = epoch(n); h.at.IsZero() {
			h.wait, _ = toWait(n * unit.Seconds())
		}
		return h
	}
	if wait, ok := duration(text); ok {
		h.wait = wait
		return h
	}
	h.at = instantIn(text, now)
	return h
}

// unsaid are members that hold what the caller sent, what an answer is about, or headers, which are read as such.
var unsaid = words(`request input inputs messages prompt params parameters arguments output choices ctx tools instructions
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
func (s *said) time(h fieldTime) {
	later := func(at *time.Time) {
		if h.at.After(*at) {
			*at = h.at
		}
	}
	switch h.kind {
	case retryField:
		s.retryAfter = max(s.retryAfter, h.wait)
		later(&s.retryAt)
	case resetField:
		s.resetAfter = max(s.resetAfter, h.wait)
		later(&s.resetsAt)
	case loadingField:
		s.estimated = max(s.estimated, h.wait)
	}
}
