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

// ExtendWrite moves the deadline for writing to the caller: one that takes nothing
// for longer than an upstream may be silent is gone. For half as long again, because
// over HTTP/2 the deadline ends a stream also while nothing is being written, and a
// silent upstream's end has to be told first. http.Server's WriteTimeout would cut
// every long stream instead. It is called after each read of the answer, and at
// last for what the server has still to write when the handler has returned; it does
// something only once a quarter of the time is used. net/http takes the deadline away
// before the connection's next request.
func (x *exchange) ExtendWrite() {
	idle := x.StreamIdle()
	if idle <= 0 {
		return
	}
	now := time.Now()
	if now.Sub(x.writeSet) < idle/4 {
		return
	}
	x.writeSet = now
	silent := idle
	if x.MayResume() {
		silent += idle // as a resume may take as long again
	}
	_ = http.NewResponseController(x.w).SetWriteDeadline(now.Add(silent + idle/2))
}
