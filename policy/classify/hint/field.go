package hint

import (
	"strings"
	"time"
	"unicode"
)

// Kind is what a field's time means.
type Kind uint8

// The kinds.
const (
	None    Kind = iota // no time at all
	Retry               // when to come again: retry_after, cooldown, blocked_until, nextAvailableAt
	Reset               // when all is there again: resets_in, reset_time, quotaResetTimeStamp
	Loading             // when something is ready: estimated_time, eta
)

// Time is the time that a field tells: a wait or an instant.
type Time struct {
	Kind Kind
	// Wait is 0 and At is zero where the field does not tell it.
	Wait time.Duration
	At   time.Time
}

// The words of fields' names.
var (
	retryWords   = set(`retry wait cooldown cool backoff back available unblock unblocked unlock unlocks lifted next again retrydelay retryafter`)
	untilWords   = set(`blocked banned locked limited throttled suspended paused until`)
	resetWords   = set(`reset resets resetting refill refills replenish replenishes renew renews renewal restore restored recover recovers recovery`)
	loadingWords = set(`estimated expected eta`)
	// timely are the last words of names that hold times, units aside.
	timely = set(`after in at on until till delay time date for wait cooldown down backoff off interval reset resets left eta
		duration period retryafter retrydelay`)
	unitWords = map[string]time.Duration{
		"ms": time.Millisecond, "millis": time.Millisecond, "msec": time.Millisecond, "milliseconds": time.Millisecond,
		"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
		"min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
		"hour": time.Hour, "hours": time.Hour,
		"utc": 0, "unix": 0, "epoch": 0, "iso": 0, "stamp": 0, "timestamp": 0,
	}
	// otherWords make a name mean something else: retry_count, plan_renews_at, max_wait_seconds, reset_window.
	otherWords = set(`max maximum count counts attempts attempt retries number num url uri link policy strategy plan subscription
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

// kindOf returns what a field's time means by the words of its name, and the unit of a bare number.
func kindOf(name string) (Kind, time.Duration) {
	if len(name) > maxName {
		return None, 0
	}
	list := wordsOf(name)
	k := None
	for _, w := range list {
		switch {
		case otherWords[w]:
			return None, 0
		case retryWords[w], untilWords[w]:
			k = Retry
		case resetWords[w] && k != Retry:
			k = Reset
		case loadingWords[w] && k == None:
			k = Loading
		}
	}
	if k == None {
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
		return None, 0 // the end of it
	case k == Reset && (last == "interval" || last == "period" || last == "duration"):
		return None, 0 // how long a limit is for
	case timely[last], named && (retryWords[last] || resetWords[last]) && last != "available" && last != "next":
		return k, unit
	}
	return None, 0
}

// InField reads the time in a member of an object, by the words of its name. Text is its
// value: a string, or a number as it is written.
func InField(name, text string, now time.Time) Time {
	k, unit := kindOf(name)
	if k == None {
		return Time{}
	}
	h := Time{Kind: k}
	text = strings.ToLower(strings.TrimSpace(text))
	if len(text) > maxName {
		return Time{}
	}
	if n, ok := Decimal(text); ok {
		if h.At = Epoch(n); h.At.IsZero() {
			h.Wait, _ = Seconds(n * unit.Seconds())
		}
		return h
	}
	if wait, ok := Duration(text); ok {
		h.Wait = wait
		return h
	}
	h.At = instantIn(text, now)
	return h
}

// KindOf returns what a field's time means by the words of its name.
func KindOf(name string) Kind {
	k, _ := kindOf(name)
	return k
}
