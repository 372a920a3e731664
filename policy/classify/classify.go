package classify

import (
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
