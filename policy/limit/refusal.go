package limit

import (
	"math"
	"slices"
	"time"
)

// Refusal is what a 429 or its like told. The zero value is a bare refusal. Values
// that make no sense count as not told.
type Refusal struct {
	// Hint is the wait that the answer names, 0 when it names none.
	Hint time.Duration
	// HintFalse says that Hint is known not to help; it then counts as not told.
	HintFalse bool
	// HintFull says that Hint is when all of the limit is there again, as Headers tell it,
	// and not when this request fits.
	HintFull bool
	// Dimension is what the text says ran out: "requests", "tokens", "input_tokens",
	// "output_tokens", "project_tokens" or "images"; "" when it does not say. Any
	// other ("concurrency") is something that this limiter does not count.
	Dimension string
	// Limit, Used and Requested are the text's numbers, 0 when not told.
	Limit, Used, Requested float64
	// Window is the time that Limit is for, 0 when not told.
	Window time.Duration
	// SlowDown says that the rate rose too fast, not that a limit was reached.
	SlowDown bool
	// Headers are the rate-limit headers of the refusal.
	Headers Headers
}

// maxHint is the longest wait that is believed without proof of a limit by the
// day: Azure says 86400 s to a request that can never pass (climb#1, TinyLLM#17).
const maxHint = 60 * time.Second

// Arithmetic fits within this share, or this much for small waits (they are
// printed in milliseconds).
const (
	fitShare = 0.05
	fitTime  = 2 * time.Millisecond
)

// clean returns r without values that make no sense, and how many there were.
func (r Refusal) clean() (Refusal, int) {
	bad := 0
	for _, n := range [...]*float64{&r.Limit, &r.Used, &r.Requested} {
		if !(*n >= 0) || *n > maxUnits {
			*n = 0
			bad++
		}
	}
	if r.Limit > 0 && r.Limit < 1 {
		r.Limit = 0
		bad++
	}
	if r.Window != 0 && r.Window < time.Second || r.Window > maxReset {
		r.Window = 0
		bad++
	}
	if r.Hint < 0 || r.Hint > maxReset {
		r.Hint = 0
		bad++
	}
	if r.HintFalse {
		r.Hint = 0
	}
	return r, bad
}

// proof returns the window of the text's limit that the wait proves: providers
// print hint = (used + requested - limit) / (limit / window), and this holds to the
// digit in every such text known (OpenAI, Groq). 0 is none.
func (r Refusal) proof() time.Duration {
	deficit := r.Used + r.Requested - r.Limit
	if r.Limit <= 0 || r.Used <= 0 || deficit <= 0 || r.Hint <= 0 {
		return 0
	}
	for _, w := range [...]time.Duration{r.Window, time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		want := deficit / r.Limit * w.Seconds()
		if w > 0 && math.Abs(r.Hint.Seconds()-want) <= max(fitShare*want, fitTime.Seconds()) {
			return w
		}
		if r.Window > 0 {
			return 0
		}
	}
	return 0
}

// plain returns the window that the text names for its limit, if its wait does not
// speak against it: where a limit is enforced over shorter times than announced, the
// wait is longer than the arithmetic says, or about as long. 0 is none.
func (r Refusal) plain() time.Duration {
	deficit := max(r.Used+r.Requested-r.Limit, 0)
	if r.Limit <= 0 || r.Window <= 0 || r.Window >= longWindow {
		return 0
	}
	if r.Hint > 0 && 2*r.Hint.Seconds() < deficit/r.Limit*r.Window.Seconds() {
		return 0
	}
	return r.Window
}

// resets reports whether the wait is that until all of a limit is there again, as headers
// tell it: it says nothing about the time from which on some is.
func (r Refusal) resets() bool {
	return r.Hint > 0 && slices.ContainsFunc(r.Headers.Readings, func(h Reading) bool { return h.Reset == r.Hint })
}

// tooLarge reports whether the text says that the request alone exceeds the limit.
func (r Refusal) tooLarge() bool { return r.Limit > 0 && r.Requested > r.Limit }
