package limits

import (
	"net/http"
	"strconv"
	"time"

	"outrigger/internal/sim/meter"
)

// SetHeaders announces the state of the limits in the style.
func SetHeaders(h http.Header, style Style, d meter.Decision) {
	levels := d.Levels
	perMinute, perDay := levels[meter.RequestsPerMinute], levels[meter.RequestsPerDay]
	tokens := levels[meter.TokensPerMinute]
	if tokens.Limit == 0 {
		tokens = levels[meter.TokensPerDay]
	}
	switch style {
	case NoHeaders:
	case Azure:
		setLevel(h, "Requests", tighter(perMinute, perDay), wholeSeconds)
		setLevel(h, "Tokens", tokens, wholeSeconds)
	case Groq: // requests are per day there, tokens per minute
		requests := perDay
		if requests.Limit == 0 {
			requests = perMinute
		}
		setLevel(h, "Requests", requests, goDuration)
		setLevel(h, "Tokens", tokens, goDuration)
	case Anthropic:
		now := time.Now()
		setAnthropicLevel(h, "Requests", tighter(perMinute, perDay), now)
		setAnthropicLevel(h, "Tokens", tokens, now)
	default:
		setLevel(h, "Requests", tighter(perMinute, perDay), goDuration)
		setLevel(h, "Tokens", tokens, goDuration)
	}
}

// tighter is the level with less left: one header pair stands for two limits, and
// OpenAI shows whichever is nearer to its end.
func tighter(a, b meter.Level) meter.Level {
	if a.Limit == 0 || (b.Limit != 0 && b.Remaining < a.Remaining) {
		return b
	}
	return a
}

func setLevel(h http.Header, unit string, l meter.Level, format func(time.Duration) string) {
	if l.Limit == 0 {
		return
	}
	h["X-Ratelimit-Limit-"+unit] = []string{strconv.Itoa(l.Limit)}
	h["X-Ratelimit-Remaining-"+unit] = []string{strconv.Itoa(l.Remaining)}
	h["X-Ratelimit-Reset-"+unit] = []string{format(l.Reset)}
}

// setAnthropicLevel gives the reset as an instant (RFC 3339, whole seconds).
func setAnthropicLevel(h http.Header, unit string, l meter.Level, now time.Time) {
	if l.Limit == 0 {
		return
	}
	h["Anthropic-Ratelimit-"+unit+"-Limit"] = []string{strconv.Itoa(l.Limit)}
	h["Anthropic-Ratelimit-"+unit+"-Remaining"] = []string{strconv.Itoa(l.Remaining)}
	h["Anthropic-Ratelimit-"+unit+"-Reset"] = []string{now.Add(l.Reset).UTC().Truncate(time.Second).Format(time.RFC3339)}
}

// goDuration is OpenAI's and Groq's form: "1s", "6m0s", "120ms".
func goDuration(d time.Duration) string { return ceil(d, time.Millisecond).String() }

// wholeSeconds is Azure's form.
func wholeSeconds(d time.Duration) string { return seconds(d) }
