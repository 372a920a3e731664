package proxy

import (
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/proxy/body"
	proxycall "outrigger/proxy/call"
)

// setDeadline bounds the request until its answer is committed.
func (x *exchange) setDeadline(r *http.Request) {
	x.Motion = &body.Motion{Start: x.Start}
	x.Patience = policy.PatienceOf(x.Total, r.Header, false)
	x.Bound(proxycall.DueOf(x.Motion, x.Patience))
}

// setFlightDeadline bounds the call that x makes for a caller until its answer is committed, and
// leaves the caller its own deadline only if that comes before.
func (x *exchange) setFlightDeadline(caller *exchange, h http.Header) {
	own, operators := caller.DeadlineAt, proxycall.DueOf(caller.Motion, policy.PatienceOf(x.Total, nil, false))
	total := func() (time.Time, bool) { // of the call
		at, _ := operators()
		if x.Total.Default { // it gives way to a caller that waits for longer
			callers, _ := own()
			at = proxycall.Latest(at, callers)
		}
		return at, false
	}
	switch {
	case caller.Identity.Key != "":
		x.Bound(total)
	case !x.IsCreate() && !caller.Deadline.IsZero():
		x.Bound(func() (time.Time, bool) {
			callers, _ := own()
			at, _ := total()
			return proxycall.Earlier(callers.Add(x.Config.Rejoin), at), false
		})
	default:
		x.Bound(own)
		caller.StopTimer()
		return
	}
	caller.Hurry(h)
	if !caller.Deadline.Before(x.Deadline) {
		caller.StopTimer()
	}
}

// Hurry tells a caller early to come back whose client does not come back from its own
// timeout. The call goes on meanwhile, so that costs it nothing.
func (x *exchange) Hurry(h http.Header) {
	if x.Identity.Hasty {
		x.StopTimer()
		x.Bound(proxycall.DueOf(x.Motion, policy.PatienceOf(x.Total, h, true)))
	}
}
