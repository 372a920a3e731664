package classify

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"outrigger/policy/endpoint"
)

// Classify returns what an attempt means. It depends on nothing but its argument,
// and allocates nothing for a success.
func Classify(a Attempt) Verdict {
	if a.Failure == None && a.Status >= 100 && a.Status < 400 && (a.Status >= 300 || !tellsError(a)) {
		return Verdict{Rule: "ok", Status: a.Status}
	}
	if a.Failure == None && a.Status == 0 {
		a.Failure = Broke
	}
	r := read(a)
	return confine(r, settle(r, decide(r)))
}

// tellsError reports whether the body of a 2xx says that the request failed.
func tellsError(a Attempt) bool {
	if a.Stream {
		return IsError(a.Event, a.Body)
	}
	return bodyFails(a.Body, a.Effect)
}

// settle fills in what the row leaves open: the answer's own words, the hint, and
// what becomes of a create.
func settle(r *reply, by *rule) Verdict {
	v := by.then
	v.Rule = by.name
	v.Status = r.status
	if by.asSent {
		v.Status = r.Status
	}
	v.Error = r.fields
	if by.scope != nil {
		v.Scope = by.scope(r)
	}
	if v.Outcome == OutcomeRateLimited || v.Outcome == OutcomeNeverFits || v.Outcome == OutcomeQuota {
		v.Limit = r.told
	}
	v.Wait = r.wait
	if v.Outcome == OutcomeLoading && v.Wait == 0 {
		v.Wait = r.estimated
	}
	if v.Outcome == OutcomeRejected {
		v.Wait, _ = RetryAfter(r.Header, r.Now) // the text of a rejection may be the caller's own
	}
	v.WaitFull = r.waitFull && v.Outcome == OutcomeRateLimited
	if v.Outcome != OutcomeRejected {
		v.Until = r.until()
	}
	if v.Wait == 0 && v.Outcome == OutcomeRateLimited && !v.Until.IsZero() {
		v.Wait = v.Until.Sub(r.Now)
	}
	v.Proven = v.Outcome == OutcomeSlowDown || v.Outcome == OutcomeRateLimited && r.proven()
	v.HintFalse = v.Wait > 0 && (by.hintFalse || (v.Outcome == OutcomeRateLimited && wholeDay(v.Wait, v.Limit)))
	if r.Effect == endpoint.Create && v.Repeat != Never && !by.notRun && mayHaveRun(r) {
		v.Repeat, v.Limiter, v.Ambiguous = Never, LimiterNone, true
	}
	return obey(r, v)
}

// obey applies the upstream's own x-should-retry, which OpenAI and Anthropic send and
// their SDKs follow before looking at the status (openai-python _base_client.py).
// "false" always holds. "true" only rescues a plain rejection: it comes with quota
// refusals too, and must not revive those.
func obey(r *reply, v Verdict) Verdict {
	switch strings.ToLower(first(r.Header, "X-Should-Retry")) {
	case "false":
		v.Repeat, v.Limiter, v.Ambiguous = Never, LimiterNone, false
	case "true":
		if v.Rule == ruleOtherRejection {
			v.Repeat = Backoff
		}
	}
	return v
}

// wholeDay reports a wait that no limit explains. Buckets refill steadily, so a wait as long as
// the whole window means a request larger than the bucket: Azure sends 86400 for one that exceeds
// the deployment's tokens per minute (vanderschaarlab/climb#1, jasonacox/TinyLLM#17).
func wholeDay(wait time.Duration, l Limits) bool {
	const day = 24 * time.Hour
	return wait >= day && l.Window < day
}

// What an answer decides for other calls than its own, it must tell by a status or a code. A phrase alone may be the caller's:
// upstreams quote what they refuse, models' names above all.

// Spreads reports whether v decides anything for other calls: it is remembered, it moves a limiter, or a breaker by more than
// its status.
func (v Verdict) Spreads() bool {
	plainFault := v.Status >= http.StatusInternalServerError && v.Breaker == Fault
	return v.Trip || v.Limiter != LimiterNone || v.Outcome == OutcomeLoading ||
		v.Outcome != OutcomeOK && v.Breaker == Fault && !plainFault || v.Status >= http.StatusInternalServerError && v.Breaker == Success
}

// tellsByStatus reports whether the status itself refuses who asks.
func tellsByStatus(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusTooManyRequests:
		return true
	}
	return false
}

// confine takes from v what it would decide for others on the word of a text alone.
func confine(r *reply, v Verdict) Verdict {
	switch {
	case r.Failure != None:
		return v
	case r.Effect == endpoint.Read && r.Status < http.StatusMultipleChoices:
		// What is read may be anybody's content, whatever it looks like.
		v.Trip, v.Limiter, v.Breaker = false, LimiterNone, Ignore
		if v.Repeat == Pause {
			v.Repeat = Backoff
		}
		return v
	case tellsByStatus(r.Status), !v.Trip && (r.Status >= http.StatusInternalServerError || v.Limiter == LimiterNone && v.Breaker != Fault):
		return v
	}
	firm := r.wordless()
	by := decide(firm)
	w := by.then
	if by.scope != nil {
		w.Scope = by.scope(firm)
	}
	if v.Trip && (r.Status == http.StatusNotFound || !w.Trip || w.Scope != v.Scope && w.Scope != Credential) {
		v.Trip = false
	}
	if r.Status >= http.StatusInternalServerError {
		return v
	}
	if v.Limiter != LimiterNone && w.Limiter == LimiterNone {
		v.Limiter, v.Limit = LimiterNone, Limits{}
		if v.Repeat == Pause {
			v.Repeat = Backoff
		}
	}
	if v.Breaker == Fault && w.Breaker != Fault && r.Status != http.StatusFailedDependency { // which is a failure by itself
		v.Breaker = Ignore
	}
	return v
}

// wordless returns r without its text, and without codes that are sentences.
func (r *reply) wordless() *reply {
	w := *r
	w.text, w.all, w.page = "", "", ""
	w.codes, w.named = nil, r.firm
	for _, c := range r.codes {
		if !isSentence(c) {
			w.codes = append(w.codes, c)
		}
	}
	if r.Status < http.StatusMultipleChoices {
		w.status = w.standsFor()
	}
	w.told = w.limits()
	return &w
}

// mostCoded is how many words a code has that is none of a sentence: "Invalid API Key".
const mostCoded = 4

// isSentence reports whether a code is a sentence, and may quote: "model_not_found: insufficient_quota".
func isSentence(code string) bool {
	return strings.Contains(code, ": ") || strings.ContainsAny(code, "\n\"'`") || len(strings.Fields(code)) > mostCoded
}

// decide returns the first rule that matches.
func decide(r *reply) *rule {
	if i := slices.IndexFunc(rules, func(by rule) bool { return by.match(r) }); i >= 0 {
		return &rules[i]
	}
	return &unknown
}

// mayHaveRun reports whether the upstream may have carried out the request although
// the attempt failed. When in doubt it says yes.
func mayHaveRun(r *reply) bool {
	switch r.Failure {
	case None:
		return answerMayHaveRun(r)
	case Unreachable, Refused, Starved:
		return false
	default:
		return r.Progress != NotSent
	}
}

// answerMayHaveRun judges an answer by the status that was really sent. Cloudflare's 521,
// 523, 525 and 526 say that it never reached the origin; its 520, 522 and 524 do
// not (developers.cloudflare.com/support/troubleshooting/http-status-codes).
func answerMayHaveRun(r *reply) bool {
	switch r.Status {
	case http.StatusRequestTimeout:
		// A web server sends a bare 408 when the request did not arrive in time. One in the
		// API's own words comes from behind it (Azure: "The operation was timeout.").
		return r.api
	case http.StatusServiceUnavailable:
		return lostAfterSending(r.all)
	case 521, 523, 525, 526, 529:
		return false
	}
	return r.Status < 300 || r.Status >= 500
}

// lostAfterSending reports a proxy's text that tells of a connection lost under the request.
// Envoy uses one sentence for both cases and tells them apart by the reset reason
// (envoy source/common/http/utility.cc, resetReasonToString); after retries of its own
// it names only the last one, so nothing is proven then.
func lostAfterSending(text string) bool {
	if !saysAny(text, "disconnect/reset", "connection reset", "connection termination",
		"prematurely closed", "broken pipe", "unexpected eof") {
		return false
	}
	if saysAny(text, "retried and the latest") {
		return true
	}
	return !saysAny(text, "reset reason: connection failure", "reset reason: local connection failure",
		"reset reason: remote connection failure", "reset reason: connection timeout",
		"reset reason: overflow", "reset reason: remote refused stream reset")
}
