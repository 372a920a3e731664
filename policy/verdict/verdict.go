package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Level is how bad a Line is.
type Level string

// The levels, from the best to the worst.
const (
	OK      Level = "ok"      // nothing to do
	Busy    Level = "busy"    // requests wait, as they are meant to
	Trouble Level = "trouble" // some requests fail
	Down    Level = "down"    // an upstream answers nobody
)

// rank orders levels: the worst is the largest.
func (l Level) rank() int { return slices.Index([]Level{OK, Busy, Trouble, Down}, l) }

// Verdict is the state in words. Its level is that of the first line.
type Verdict struct {
	Level Level  `json:"level"`
	Lines []Line `json:"lines"` // at least one; the worst first
}

// Line is one thing that an operator should know.
type Line struct {
	Level    Level  `json:"level"`
	Upstream string `json:"upstream,omitempty"` // "" for what concerns all
	Text     string `json:"text"`
	// Since is when it began, zero where that is not known.
	Since time.Time `json:"since,omitzero"`
	// Next is what happens at At: "next probe". "" is nothing. An At in the past means that
	// the next request brings it about.
	Next string    `json:"next,omitempty"`
	At   time.Time `json:"at,omitzero"`
}

// Words returns the line as a sentence, with its times as they are at now, in now's time
// zone: "openai: quota exhausted for credential 3f2a…, since 14:02; next probe in 41 s".
func (l Line) Words(now time.Time) string {
	text := l.Text
	if l.Upstream != "" {
		text = l.Upstream + ": " + text
	}
	if !l.Since.IsZero() {
		text += ", since " + clock(l.Since, now)
	}
	switch {
	case l.Next == "":
	case !l.At.After(now):
		text += "; " + l.Next + " with the next request"
	default:
		text += "; " + l.Next + " in " + Span(l.At.Sub(now))
	}
	return text
}

// clock is a time of day, with the date if that is not today's.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// Span is a duration in the largest two units that it has: "41 s", "3 min 20 s", "2 h 5 min".
// What is under a second is 1 s: a countdown does not show 0.
func Span(d time.Duration) string {
	s := int((d + time.Second - 1) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", max(s, 1))
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	case s < 24*3600:
		return two(s/3600, "h", s%3600/60, "min")
	}
	return two(s/86400, "d", s%86400/3600, "h")
}

func two(a int, unit string, b int, smaller string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unit)
	}
	return fmt.Sprintf("%d %s %d %s", a, unit, b, smaller)
}

// sorted puts the worst lines first, and keeps the order of those alike.
func sorted(lines []Line) []Line {
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(b.Level.rank(), a.Level.rank()) })
	return lines
}
