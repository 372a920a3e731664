package classify

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"outrigger/internal/lazyregexp"
	"outrigger/policy/endpoint"
)

// match is the condition of a rule.
type match func(*reply) bool

func all(ms ...match) match {
	return func(r *reply) bool {
		return !slices.ContainsFunc(ms, func(m match) bool { return !m(r) })
	}
}

func either(ms ...match) match {
	return func(r *reply) bool {
		return slices.ContainsFunc(ms, func(m match) bool { return m(r) })
	}
}

func not(m match) match { return func(r *reply) bool { return !m(r) } }

// failure matches attempts that failed below HTTP in one of these ways.
func failure(fs ...Failure) match {
	return func(r *reply) bool { return slices.Contains(fs, r.Failure) }
}

func unsent(r *reply) bool { return r.Progress == NotSent }

// status matches the status that an answer stands for.
func status(list ...int) match { return func(r *reply) bool { return slices.Contains(list, r.status) } }

// from matches the statuses from low to high, both included.
func from(low, high int) match {
	return func(r *reply) bool { return r.status >= low && r.status <= high }
}

// code matches an answer with any of the codes.
func code(set codeSet) match { return func(r *reply) bool { return r.has(set) } }

// folded matches an answer with any of the codes, however its words are joined: InvalidApiKey, invalid-api-key.
func folded(set codeSet) match {
	names := make(codeSet, len(set))
	for c := range set {
		names[fold(c)] = true
	}
	return func(r *reply) bool {
		return slices.ContainsFunc(r.codes, func(c string) bool { return names[fold(c)] })
	}
}

// separators join the words of a code.
var separators = strings.NewReplacer("_", "", "-", "", " ", "")

func fold(code string) string { return separators.Replace(code) }

// codePart matches an answer with a code that contains the part: ERNIE's
// rpm_rate_limit_exceeded (PaddlePaddle/ERNIE#1031), OpenAI's unsupported_country_region_territory.
func codePart(parts ...string) match {
	return func(r *reply) bool { return slices.ContainsFunc(parts, r.hasPart) }
}

// says matches a text with any of the phrases, whoever wrote it; saysItself only the upstream's own.
func says(phrases ...string) match { return func(r *reply) bool { return saysAny(r.all, phrases...) } }

func saysItself(phrases ...string) match {
	return func(r *reply) bool { return saysAny(r.text, phrases...) }
}

// busy guards the phrases about capacity: at these statuses they are about capacity, elsewhere they may be quoted.
var busy = either(status(http.StatusTooManyRequests, 498), from(500, 599))

// saysQuota matches quotaPhrase. On a 429 it decides wherever it stands, even in what a provider behind
// the upstream said or in a page.
func saysQuota(r *reply) bool {
	if saysAny(r.all, quotaPhrase) {
		return true
	}
	return r.Status == http.StatusTooManyRequests && strings.Contains(r.own(string(r.Body)), quotaPhrase)
}

// effect matches attempts of requests with this effect.
func effect(e endpoint.Effect) match { return func(r *reply) bool { return r.Effect == e } }

func page(r *reply) bool { return r.html }

// edgeBlock matches Cloudflare's refusals at its edge, "error code: 1020" (Error 1xxx, Cloudflare docs).
func edgeBlock(r *reply) bool { return !r.api && strings.HasPrefix(r.text, "error code: 10") }

func retryAfterSent(r *reply) bool { return first(r.Header, "Retry-After") != "" }

func suspended(r *reply) bool { return saysAny(r.text, "account") && saysAny(r.text, "is suspended") }

// fromProvider matches what an aggregator passes on from a provider with the aggregator's own key.
func fromProvider(r *reply) bool {
	return !r.byok && (r.provider || saysAny(r.text, "provider returned error"))
}

// notReached matches aiand's bad_gateway: its gateway failed to reach the inference layer.
func notReached(r *reply) bool {
	return r.Status == http.StatusBadGateway && r.fields.Type == "bad_gateway"
}

// partialAnswer matches a completion that came with 200 and says that a choice of it failed.
func partialAnswer(r *reply) bool {
	return r.Status >= 200 && r.Status < 300 && !r.Stream && !errorBody(r.Body, r.Effect)
}

func retryable(want bool) match {
	return func(r *reply) bool { return r.retryable != nil && *r.retryable == want }
}

// outgrown matches a request that costs more than the whole limit: it is refused for ever although a wait
// is named (danielmiessler/Fabric#364).
func outgrown(r *reply) bool {
	return r.told.Limit > 0 && r.told.Requested > r.told.Limit
}

// saysNoModel matches texts about a model that is not there.
func saysNoModel(r *reply) bool {
	if !saysAny(r.text, "model", "no endpoints found") {
		return false
	}
	return saysAny(r.text, "not found", "not exist", "no endpoints found", "not have access", "invalid model",
		"not a valid model", "not allowed to access model", "not allowed to sample",
		"no deployment", "no healthy deployment", "no available deployment")
}

// longAway is when openai-python gives up instead of waiting (MAX_RETRY_AFTER_DELAY).
const longAway = 120 * time.Second

func away(r *reply) bool { return r.wait > longAway }

// What upstreams that honour Idempotency-Key say of a key that is known to them. The
// IETF's draft (draft-ietf-httpapi-idempotency-key-header, section 2.6) has 409 for a
// call that is still being made and 422 for a key that was used for another one; others
// have 409 for both, and say which in a code or a sentence of their own.
var (
	sameCallRE = lazyregexp.New(`idempoten|\b(?:same|duplicate|identical|concurrent|original|previous|earlier|first|another) (?:[\w-]+ ){0,2}(?:request|call)s?\b|request_in_progress|concurrent_request`)
	runningRE  = lazyregexp.New(`in[ _-]?progress|in[ _-]?use|in[ _-]?flight|still[ _](?:being|running|processing|executing|pending)|being (?:processed|made|handled|executed)|(?:currently|already) (?:running|processing|executing|being)|concurrent|simultaneous|outstanding|pending|processing|(?:not|n't) (?:yet )?(?:been )?(?:complete|finish)|locked`)
	otherRE    = lazyregexp.New(`idempoten[^\n]{0,200}(?:mismatch|different|\bdiffer|(?:not|n't) match|re-?used?\b|only be used with the same)|(?:mismatch|different|re-?used?\b|(?:not|n't) match)[^\n]{0,200}idempoten|\bdifferent (?:request |http |json )?(?:body|payload|parameters|params|arguments|content)`)
)

// words is all that a reply says: its codes and its text.
func (r *reply) words() string { return strings.Join(r.codes, "\n") + "\n" + r.text }

// stillRunning matches a call that is being made already under the request's key: the
// reply says so, or names a wait while such a call may be under way.
func stillRunning(r *reply) bool {
	if r.status != http.StatusConflict {
		return false
	}
	words := r.words()
	return sameCallRE.MatchString(words) && runningRE.MatchString(words) || r.Keyed && retryAfterSent(r)
}

// keyOfAnother matches a key that was used for another request.
func keyOfAnother(r *reply) bool { return otherRE.MatchString(r.words()) }
