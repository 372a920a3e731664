package verdict

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// tightest returns the limit of which the smallest share is left.
func tightest(buckets []Bucket) (Bucket, bool) {
	found, least := -1, 0.0
	for i, b := range buckets {
		if b.Limit <= 0 || b.Window <= 0 {
			continue
		}
		if share := b.Remaining / b.Limit; found < 0 || share < least {
			found, least = i, share
		}
	}
	if found < 0 {
		return Bucket{}, false
	}
	return buckets[found], true
}

// Rate is a limit in words: "1200 requests per minute (told by headers)".
func Rate(b Bucket) string { return fmt.Sprintf("%s (%s)", rate(b), told(b.Source)) }

// rate is a limit in words: "1200 requests per minute".
func rate(b Bucket) string {
	unit := strings.ReplaceAll(strings.TrimSuffix(b.Dimension, "_long"), "_", " ")
	if b.Dimension == "slow_down" {
		unit = "requests"
	}
	limit, window := b.Limit, b.Window
	if window < time.Minute { // "10 per second" and its like are compared by the minute
		limit, window = limit*float64(time.Minute)/float64(window), time.Minute
	}
	return fmt.Sprintf("%s %s %s", number(limit), unit, per(window))
}

func per(window time.Duration) string {
	switch window {
	case time.Minute:
		return "per minute"
	case time.Hour:
		return "per hour"
	case 24 * time.Hour:
		return "per day"
	}
	return "in " + Span(window)
}

// number is a count without decimals, but for what is under 10.
func number(n float64) string {
	if n < 10 {
		return strconv.FormatFloat(n, 'g', 2, 64)
	}
	return strconv.FormatFloat(n, 'f', 0, 64)
}

// told says how a limit is known, by its source.
func told(source string) string {
	switch source {
	case "configured":
		return "configured"
	case "header":
		return "told by headers"
	case "refusal text":
		return "told by a refusal"
	case "refusals":
		return "learned from refusals"
	case "":
		return "source unknown"
	}
	return "learned from " + source // of a limit on calls in flight: what kind of refusals
}

// short is the beginning of a credential's label, as a reader remembers it.
func short(credential string) string {
	const shown = 4
	if len(credential) <= shown {
		return credential
	}
	return credential[:shown] + "…"
}

func waits(n int) string {
	if n == 1 {
		return "1 waits"
	}
	return strconv.Itoa(n) + " wait"
}

func counted(n int, one, many, what string) string {
	switch n {
	case 0:
		return "none " + one + " " + what
	case 1:
		return "1 " + one + " " + what
	}
	return fmt.Sprintf("%d %s %s", n, many, what)
}

// earlier returns the earlier of two times; zero is unknown.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
