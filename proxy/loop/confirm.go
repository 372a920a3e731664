package loop

import (
	"net/http"
	"strings"
	"time"

	"outrigger/proxy/attempt"
	"outrigger/proxy/wire"
)

// confirmsMost is how often one request is refused for its credential while others of it pass:
// a gateway that refuses one in a hundred at random hardly refuses the same one three times.
const confirmsMost = 2

// confirms reports whether a refusal of the credential, or of its model, is not to be
// remembered yet: it worked a moment ago, so the refused request is tried once more, which is
// no retry. Where that must not be, the next refusal without a success in between counts.
// While others go on to pass, the request is tried again, or is told and nobody else is.
func (x *Run) confirms(a *attempt.Attempt, now time.Time) bool {
	key, s := x.payerKey(a.Verdict.Scope), &x.setbacks
	lately, before := x.Up.Worked.Doubt(now, key)
	passes := s.confirms > 0 && x.Up.Worked.Since(s.accused, key)
	switch {
	case !lately:
		return false
	case s.confirms > 0 && !passes, before && !x.mayConfirm(a, now):
		x.Up.Worked.Forget(key)
		return false
	}
	s.accused = now
	if s.confirms < confirmsMost && x.mayConfirm(a, now) {
		s.confirming = true
		s.confirms++
	}
	return true
}

// confirmPause is the wait before a credential is confirmed: long enough for others to show
// that it lives.
func (x *Run) confirmPause() time.Duration {
	base := x.Config.Retry.Base
	return base/2 + time.Duration(x.random()*float64(base/2))
}

// mayConfirm reports whether the refused request may be sent again. A create only if a 401
// proves that it was not carried out.
func (x *Run) mayConfirm(a *attempt.Attempt, now time.Time) bool {
	if !x.Replayable() || x.IsCreate() && a.Resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	if strings.EqualFold(strings.TrimSpace(a.Resp.Header.Get(wire.HeaderShouldRetry)), "false") {
		return false
	}
	return x.Deadline.IsZero() || now.Add(now.Sub(a.Started)+x.Config.Retry.Base).Before(x.Deadline)
}
