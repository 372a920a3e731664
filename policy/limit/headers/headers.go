// Package headers reads the rate-limit headers of answers, in the notations of all known
// providers, into numbers. It believes nothing: what can be true is for package limit to say.
package headers

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Headers are the rate-limit headers of one answer. The zero value has none.
type Headers struct {
	// Readings are the limits told, at most one for each dimension and window.
	Readings []Reading
	// Reset is the wait of a reset that names no limit (Together), 0 if there is none.
	Reset time.Duration
	// Worked is how long the upstream says that it took, without the way: 0 when not told.
	Worked time.Duration
	// Ignored is how many values made no sense: not a number, negative, absurd.
	Ignored int
}

// Reading is what headers tell about one limit.
type Reading struct {
	// Dimension is "requests", "tokens", "input_tokens", "output_tokens",
	// "project_tokens" or "images".
	Dimension string
	// Window is the time that the header's name says the limit is for, 0 when it
	// does not: "-requests" is per minute at OpenAI and per day at Groq.
	Window time.Duration
	// Limit, Remaining and Reset are the values, -1 when not told. Reset is the time
	// until all of the limit is there again.
	Limit, Remaining float64
	Reset            time.Duration
	// Resolution is the smallest step that Reset's notation can show.
	Resolution time.Duration
	// Quota says that RateLimit told it, in any of its drafts: no more than Remaining passes before Reset.
	Quota bool
}

// Sensible reports whether a reading can be true.
func (r Reading) Sensible() bool {
	return r.Limit >= 1 && r.Limit <= MaxCount && r.Remaining <= r.Limit && r.Reset <= MaxReset &&
		(r.Window == 0 || r.Window >= time.Second && r.Window <= MaxReset)
}

// maxReadings bounds what one answer can make the limiter keep.
const maxReadings = 12

// families are the beginnings of the headers' names, and whether the field (limit,
// remaining, reset) comes last. Azure has been seen to misspell its own
// (openai-python#937); the third is draft-ietf-httpapi-ratelimit-headers.
var families = [...]struct {
	prefix    string
	fieldLast bool
}{
	{"X-Ratelimit-", false},
	{"X-Rate-Limit-", false},
	{draftPrefix, false},
	{"Anthropic-Ratelimit-", true},
}

// draftPrefix begins the headers that draft-ietf-httpapi-ratelimit-headers had up to its sixth version.
const draftPrefix = "Ratelimit-"

// togetherTokens begins the headers by which Together tells its token limits. They are
// per second, and so is its X-Ratelimit-Limit, although nothing in the name says so
// (docs.together.ai, rate limits, "rate limit headers").
const togetherTokens = "X-Tokenlimit-"

// openAIWorked is the "time taken processing your API request", in milliseconds
// (platform.openai.com/docs/api-reference/debugging-requests).
const openAIWorked = "Openai-Processing-Ms"

// Parse reads the rate-limit headers of an answer that came at now: OpenAI's,
// Azure's, Groq's, Anthropic's, Cerebras's, Mistral's, Together's and what resembles them, and RateLimit. Keys
// are canonical. Instants are by the clock of the answer's Date. Values that make no sense are counted and otherwise not there.
func Parse(h map[string][]string, now time.Time) Headers {
	var p Headers
	perSecond, structured := false, false
	answered := clock{h, now}
	for key, values := range h {
		if !maySay(key) {
			continue
		}
		structured = structured || key == "Ratelimit" || key == "Ratelimit-Policy"
		if key == openAIWorked && len(values) > 0 {
			p.Worked = parseMillis(values[0])
		}
		if field, ok := strings.CutPrefix(key, togetherTokens); ok && len(values) > 0 {
			perSecond = true
			p.put(field, "Tokens-Second", values[0], answered)
		}
		for _, f := range families {
			rest, ok := strings.CutPrefix(key, f.prefix)
			if !ok || len(values) == 0 {
				continue
			}
			field, what, _ := strings.Cut(rest, "-")
			if i := strings.LastIndexByte(rest, '-'); f.fieldLast && i >= 0 {
				what, field = rest[:i], rest[i+1:]
			}
			p.put(field, what, values[0], answered)
			if f.prefix == draftPrefix && field != "Policy" {
				p.quota(what)
			}
			break
		}
	}
	if structured {
		p.structured(h)
	}
	if r := p.find("requests", 0); r != nil && perSecond && p.find("requests", time.Second) == nil {
		r.Window = time.Second
	}
	slices.SortFunc(p.Readings, func(a, b Reading) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Window, b.Window))
	})
	return p
}

// maySay reports whether a header may be about limits: most are not, and this is cheap.
func maySay(key string) bool {
	return len(key) > 8 && (key[0] == 'R' || key[0] == 'A' || key[0] == 'X' || key[0] == 'O')
}

// put enters one header.
func (p *Headers) put(field, what, value string, answered clock) {
	if what == "" && field == "Reset" {
		if d, _, ok := parseReset(value, answered); ok {
			p.Reset = d
		} else {
			p.Ignored++
		}
	}
	dimension, window, ok := subject(what)
	if !ok {
		return
	}
	switch field {
	case "Limit", "Remaining":
		n, ok := parseCount(value)
		if !ok {
			p.Ignored++
			return
		}
		if r := p.reading(dimension, window); r == nil {
			p.Ignored++
		} else if field == "Limit" {
			r.Limit = n
		} else {
			r.Remaining = n
		}
	case "Reset":
		d, resolution, ok := parseReset(value, answered)
		if !ok {
			p.Ignored++
			return
		}
		if r := p.reading(dimension, window); r == nil {
			p.Ignored++
		} else {
			r.Reset, r.Resolution = d, resolution
		}
	}
}

// reading returns the reading to fill, nil when there are too many.
func (p *Headers) reading(dimension string, window time.Duration) *Reading {
	if r := p.find(dimension, window); r != nil {
		return r
	}
	if len(p.Readings) == maxReadings {
		return nil
	}
	if p.Readings == nil {
		p.Readings = make([]Reading, 0, 2)
	}
	p.Readings = append(p.Readings, Reading{Dimension: dimension, Window: window, Limit: -1, Remaining: -1, Reset: -1})
	return &p.Readings[len(p.Readings)-1]
}

// find returns the reading for a limit, nil when there is none.
func (p *Headers) find(dimension string, window time.Duration) *Reading {
	for i := range p.Readings {
		if r := &p.Readings[i]; r.Dimension == dimension && r.Window == window {
			return r
		}
	}
	return nil
}

// subject splits the rest of a header's name into dimension and window.
func subject(what string) (string, time.Duration, bool) {
	var window time.Duration
	if i := strings.LastIndexByte(what, '-'); i >= 0 {
		if window = windowOf(what[i:]); window > 0 {
			what = what[:i]
		}
	}
	switch what {
	case "", "Requests", "Request", "Req": // Req: Mistral
		return "requests", window, true
	case "Tokens", "Token":
		return "tokens", window, true
	case "Input-Tokens", "Tokens-Prompt":
		return "input_tokens", window, true
	case "Output-Tokens", "Tokens-Generated":
		return "output_tokens", window, true
	case "Project-Tokens":
		return "project_tokens", window, true
	case "Images":
		return "images", window, true
	}
	return "", 0, false
}

// windowOf is the window that the last word of a limit's name says (Cerebras and others), 0 if it says none.
func windowOf(suffix string) time.Duration {
	switch suffix {
	case "-Second":
		return time.Second
	case "-Minute":
		return time.Minute
	case "-Hour":
		return time.Hour
	case "-Day":
		return 24 * time.Hour
	}
	return 0
}

// parseCount reads a limit or a remainder: decimal digits, of which policies may follow
// ("100, 100;w=60", draft-ietf-httpapi-ratelimit-headers-05). Several that differ are
// two headers which were merged, and tell nothing.
func parseCount(s string) (float64, bool) {
	first, rest, list := strings.Cut(s, ",")
	first, _, _ = strings.Cut(first, ";")
	first = strings.TrimSpace(first)
	for list {
		var next string
		next, rest, list = strings.Cut(rest, ",")
		if !strings.Contains(next, ";") && strings.TrimSpace(next) != first {
			return 0, false
		}
	}
	if strings.Trim(first, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(first, 64)
	if err != nil || n > MaxCount || n != math.Trunc(n) && n < 1 {
		return 0, false
	}
	return n, true
}

// parseMillis reads whole milliseconds up to an hour, 0 for anything else.
func parseMillis(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 32)
	if d := time.Duration(n) * time.Millisecond; err == nil && d <= time.Hour {
		return d
	}
	return 0
}
