package headers

import (
	"strings"
	"time"

	"outrigger/policy/httpfield"
)

// structured enters what RateLimit and RateLimit-Policy tell. Of several quotas that count the same for the
// same time, as of several partition keys, the tightest counts.
func (p *Headers) structured(h map[string][]string) {
	quotas, ignored := httpfield.RateLimits(h)
	p.Ignored += ignored
	for _, q := range quotas {
		dimension := dimensionOf(q.Unit)
		if dimension == "" {
			continue
		}
		if q.Limit > MaxCount || q.Remaining > MaxCount || q.Reset > MaxReset {
			p.Ignored++
			continue
		}
		if q.Remaining < 0 && p.windowed(dimension, q) {
			continue
		}
		known := p.find(dimension, q.Window)
		if known != nil && !tighter(q, *known) {
			continue
		}
		r := p.reading(dimension, q.Window)
		if r == nil {
			p.Ignored++
			continue
		}
		r.Limit, r.Remaining, r.Reset, r.Resolution, r.Quota = q.Limit, q.Remaining, q.Reset, 0, true
		if q.Reset >= 0 {
			r.Resolution = time.Second
		}
	}
}

// quota says that a draft's header told of this subject.
func (p *Headers) quota(what string) {
	if dimension, window, ok := subject(what); ok {
		if r := p.find(dimension, window); r != nil {
			r.Quota = true
		}
	}
}

// windowed gives the window of a policy to the reading of RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset
// that it is of (draft-ietf-httpapi-ratelimit-headers-03), and reports whether there is one.
func (p *Headers) windowed(dimension string, q httpfield.Quota) bool {
	r := p.find(dimension, 0)
	if r == nil || q.Window == 0 || r.Limit != q.Limit || p.find(dimension, q.Window) != nil {
		return false
	}
	r.Window = q.Window
	return true
}

// tighter reports whether a quota leaves less than what is known.
func tighter(q httpfield.Quota, known Reading) bool {
	if q.Remaining < 0 || known.Remaining < 0 {
		return q.Remaining >= 0 || known.Remaining < 0 && q.Limit < known.Limit
	}
	return q.Remaining < known.Remaining || q.Remaining == known.Remaining && q.Reset > known.Reset
}

// dimensionOf returns what a quota unit counts, "" for what this limiter does not count.
func dimensionOf(unit string) string {
	switch {
	case unit == "requests" || unit == "request":
		return "requests"
	case !strings.Contains(unit, "token"):
		return ""
	case strings.Contains(unit, "input"):
		return "input_tokens"
	case strings.Contains(unit, "output"):
		return "output_tokens"
	}
	return "tokens"
}
