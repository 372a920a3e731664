package loop

import (
	"errors"

	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
)

// keepsLast reports whether a request that ends with err is answered with its last attempt's
// answer. That of a limit is none where it was to wait for the limit, and a drain ends that.
func (x *Run) keepsLast(err error) bool {
	return x.last != nil && !x.Left() && (!errors.Is(err, apierror.ErrDraining) || x.last.Verdict.Limiter == classify.LimiterNone)
}
