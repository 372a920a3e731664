package classify

import (
	"net/http"
	"slices"
	"strings"

	"outrigger/policy/endpoint"
)

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
