package httpfield

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Quota is what an answer tells of one limit.
type Quota struct {
	// Unit is what is counted: "requests" if nothing says otherwise. It is as the server writes it, in lower case.
	Unit string
	// Window is the time that Limit is for, 0 when not told.
	Window time.Duration
	// Limit and Remaining are -1 when not told.
	Limit, Remaining float64
	// Reset is the time until more is there, -1 when not told.
	Reset time.Duration

	names     []string
	partition string
}

// Bounds of the numbers.
const (
	maxCount = 1e15 // RFC 9651, section 3.3.1
	maxTime  = 366 * 24 * time.Hour
)

// RateLimits reads RateLimit and RateLimit-Policy in all the forms that the drafts had:
//
//	RateLimit: "api";r=0;t=55                      draft-ietf-httpapi-ratelimit-headers-08 and later
//	RateLimit-Policy: "api";q=500;w=300;qu="requests";pk=:dXNlcg==:
//	RateLimit: limit=10, remaining=3, reset=50     -07
//	RateLimit-Policy: 10;w=60, 1000;w=3600         -03 to -07
//
// A policy of which no state is told is a quota with Remaining -1. The second result counts the lines and members that make
// no sense; they are otherwise ignored. Names are canonical.
func RateLimits(h map[string][]string) ([]Quota, int) {
	states, bad := read(h["Ratelimit"])
	policies, worse := read(h["Ratelimit-Policy"])
	ignored := bad + worse
	for i := range states {
		s := &states[i]
		j := slices.IndexFunc(policies, func(p Quota) bool { return p.describes(s, len(policies)) })
		if j < 0 {
			continue
		}
		p := policies[j]
		if s.Window == 0 {
			s.Window = p.Window
		}
		if s.Limit < 0 {
			s.Limit = p.Limit
		}
		if s.Unit == "" {
			s.Unit = p.Unit
		}
		s.names = append(s.names, p.names...)
	}
	quotas := states
	for _, p := range policies {
		if !slices.ContainsFunc(states, func(s Quota) bool { return p.describes(&s, len(policies)) }) {
			quotas = append(quotas, p)
		}
	}
	for i := range quotas {
		quotas[i].name()
	}
	return quotas, ignored
}

// describes reports whether q, one of so many policies, is the one that the state s is of: by its name, else by the
// limit, else because it is the only one.
func (q Quota) describes(s *Quota, policies int) bool {
	if q.partition != "" && s.partition != "" && q.partition != s.partition {
		return false
	}
	if slices.ContainsFunc(q.names, func(n string) bool { return slices.Contains(s.names, n) }) {
		return true
	}
	if s.Limit >= 0 {
		return q.Limit == s.Limit
	}
	return policies == 1
}

// name settles the unit: what the field says, else what the quota's name hints at.
func (q *Quota) name() {
	if q.Unit == "" && slices.ContainsFunc(q.names, func(n string) bool { return strings.Contains(n, "token") }) {
		q.Unit = "tokens"
	}
	if q.Unit == "" && slices.ContainsFunc(q.names, func(n string) bool { return strings.Contains(n, "concurren") }) {
		q.Unit = "concurrent-requests"
	}
	if q.Unit == "" {
		q.Unit = "requests"
	}
}

// read reads the lines of one field.
func read(lines []string) ([]Quota, int) {
	var quotas []Quota
	ignored := 0
	dictionary := -1 // the quota that the members of a dictionary are told of, on any line
	for _, line := range lines {
		list, ok := parseList(line)
		if !ok {
			ignored++
			continue
		}
		for _, member := range list {
			if len(quotas) >= maxMembers {
				ignored++
				continue
			}
			if dictionary >= 0 && member[0].key != "" {
				if !quotas[dictionary].take(member) {
					ignored++
				}
				continue
			}
			q := Quota{Limit: -1, Remaining: -1, Reset: -1}
			if !q.take(member) {
				ignored++
				continue
			}
			if member[0].key != "" {
				dictionary = len(quotas)
			}
			quotas = append(quotas, q)
		}
	}
	return slices.DeleteFunc(quotas, func(q Quota) bool { return q.Limit < 0 && q.Remaining < 0 }), ignored
}

// take reads one member, and reports whether all its values make sense.
func (q *Quota) take(member []part) bool {
	sense := true
	for i, p := range member {
		n, isCount := count(p.value)
		t, isTime := seconds(n)
		switch p.key {
		case "":
			if i == 0 && isCount && !p.quoted {
				q.Limit = n // the bare number of a policy up to -07
			} else {
				q.names = append(q.names, strings.ToLower(p.value))
			}
		case "q", "limit":
			sense = sense && isCount
			q.Limit = n
		case "r", "remaining":
			sense = sense && isCount
			q.Remaining = n
		case "t", "reset":
			sense = sense && isTime
			q.Reset = t
		case "w", "window":
			sense = sense && isTime && t > 0
			q.Window = max(t, 0)
		case "qu":
			q.Unit = strings.ToLower(p.value)
		case "pk":
			q.partition = p.value
		}
	}
	return sense
}

// count reads a decimal number that is not negative.
func count(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return -1, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n > maxCount {
		return -1, false
	}
	return n, true
}

// seconds returns a time; -1, false for one that is negative or longer than any.
func seconds(n float64) (time.Duration, bool) {
	if n < 0 || n > maxTime.Seconds() {
		return -1, false
	}
	return time.Duration(n * float64(time.Second)), true
}
