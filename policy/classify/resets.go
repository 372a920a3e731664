package classify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"outrigger/policy/classify/hint"
	"outrigger/policy/httpfield"
)

// resetWait returns the wait that the rate-limit headers imply, 0 when they imply none. They show several
// buckets, so only the one that refused counts: that of the dimension the answer names, or else
// one that has nothing remaining. A reset that exceeds the named window belongs to another bucket
// (Groq: -requests is per day while -tokens is per minute).
func (r *reply) resetWait() time.Duration {
	var wait time.Duration
	for _, h := range [...]map[string][]string{r.Header, r.headers} {
		for name := range maps.Keys(h) {
			dimension, ok := resetDimension(name)
			if !ok || !refused(h, name, dimension, r.told.Dimension) {
				continue
			}
			w := resetValue(first(h, name), r.clock)
			if r.told.Window == 0 || w <= r.told.Window {
				wait = max(wait, w)
			}
		}
	}
	for _, q := range r.spentQuotas() {
		if r.told.Window == 0 || q.Reset <= r.told.Window {
			wait = max(wait, q.Reset)
		}
	}
	return wait
}

// spentQuotas returns the quotas of RateLimit of which nothing remains (draft-ietf-httpapi-ratelimit-headers).
func (r *reply) spentQuotas() []httpfield.Quota {
	if r.Header["Ratelimit"] == nil {
		return nil
	}
	quotas, _ := httpfield.RateLimits(r.Header)
	return slices.DeleteFunc(quotas, func(q httpfield.Quota) bool { return q.Remaining != 0 })
}

// resetDimension returns what a reset header counts, "" if its name does not say.
// Names differ much: x-ratelimit-reset-tokens (OpenAI, Groq, Azure), x-rate-limit-reset-tokens (Azure,
// openai-python#937), x-ratelimit-reset-tokens-minute (Cerebras), anthropic-ratelimit-input-tokens-reset,
// x-ratelimit-reset (Together, OpenRouter).
func resetDimension(header string) (string, bool) {
	n := strings.ReplaceAll(strings.ToLower(header), "rate-limit", "ratelimit")
	if !strings.Contains(n, "ratelimit") || !strings.Contains(n, "reset") {
		return "", false
	}
	switch {
	case strings.Contains(n, "input-tokens"):
		return "input_tokens", true
	case strings.Contains(n, "output-tokens"):
		return "output_tokens", true
	case strings.Contains(n, "tokens"):
		return "tokens", true
	case strings.Contains(n, "req"):
		return "requests", true
	case strings.Contains(n, "images"):
		return "images", true
	}
	return "", true
}

// refused reports whether the bucket of a reset header is the one that refused.
func refused(h map[string][]string, header, dimension, told string) bool {
	if dimension == "" {
		return true
	}
	if told != "" {
		return dimension == told || (strings.HasSuffix(dimension, "_tokens") && told == "tokens")
	}
	return first(h, strings.Replace(header, "Reset", "Remaining", 1)) == "0"
}

// resetValue reads a duration, seconds, epoch seconds or milliseconds, or an RFC 3339 instant.
// Zero and what has passed mean nothing: Azure sends 0 with a limit of -1 for "unknown"
// (openai-dotnet#838).
func resetValue(value string, now time.Time) time.Duration {
	if wait, ok := headerWait(value); ok {
		return wait
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		n, _ := hint.Decimal(value)
		at = hint.Epoch(n)
	}
	if at.IsZero() {
		return 0
	}
	wait, _ := hint.Until(at, now)
	return wait
}
