package proxy

import (
	"net/http"
	"strings"
	"time"
)

// confirms reports whether a refusal of the credential, or of its model, is not to be
// remembered yet: it worked a moment ago, so the refused request is tried once more, which is
// no retry. Where that must not be, the next refusal without a success in between counts.
func (x *exchange) confirms(a *attempt, now time.Time) bool {
	key := x.tripKey(a.verdict.Scope)
	lately, before := x.up.worked.Doubt(now, key)
	switch {
	case !lately:
		return false
	case x.setbacks.confirmed, before && !x.mayConfirm(a, now):
		x.up.worked.Forget(key)
		return false
	}
	if x.mayConfirm(a, now) {
		x.setbacks.confirming, x.setbacks.confirmed = true, true
	}
	return true
}

// mayConfirm reports whether the refused request may be sent again. A create only if a 401
// proves that it was not carried out.
func (x *exchange) mayConfirm(a *attempt, now time.Time) bool {
	if !x.replayable() || x.isCreate() && a.resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	if strings.EqualFold(strings.TrimSpace(a.resp.Header.Get(headerShouldRetry)), "false") {
		return false
	}
	return x.deadline.IsZero() || now.Add(now.Sub(a.started)+x.p.config.Retry.Base).Before(x.deadline)
}
