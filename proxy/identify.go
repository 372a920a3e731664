package proxy

import (
	"hash"
	"net/http"

	"outrigger/policy"
	"outrigger/proxy/apierror"
	"outrigger/proxy/body"
	"outrigger/proxy/idempotency"
	"outrigger/proxy/observe"
	proxywire "outrigger/proxy/wire"
)

// lookAtCaller finds out who calls, how urgent the call is, and who takes turns with others in queues. Where
// callers have no tokens they are told apart by their credentials, which upstreams with keys of
// their own do not get.
func (x *exchange) lookAtCaller(r *http.Request) error {
	c, err := x.gen.callers.Caller(r)
	x.CallerName, x.CallerLabel, x.CallerKey, x.Priority = c.Name, c.Label, c.Key, c.Priority
	if c.Key == 0 && x.gen.lends {
		x.CallerKey = x.Credentials.Payer(r).Key()
	}
	return err
}

// recognize decides whether r enters the idempotency step or may be rejoined, and
// then has its body's bytes hashed as they pass.
//
// A key counts on POST and PATCH alone: all other methods are safe or idempotent by
// themselves (RFC 9110, section 9.2.2), and the draft is about those two. A tunnel
// has no answer that could be given again.
func (x *exchange) recognize(r *http.Request) error {
	if proxywire.IsWebSocket(r.Header) {
		return nil
	}
	switch values, given := r.Header["Idempotency-Key"]; {
	case given && (r.Method == http.MethodPost || r.Method == http.MethodPatch):
		if len(values) != 1 || values[0] == "" || len(values[0]) > idempotency.MaxKey {
			x.Recorder.Span(x.ID, observe.Moment(observe.SpanIdempotency, "", idempotency.ResultInvalid))
			return apierror.New(apierror.BadRequest, "The Idempotency-Key is not usable: send one, of 1 to %d characters.", idempotency.MaxKey)
		}
		x.Identity.Key = values[0]
	case x.Config.Rejoin > 0 && !given && idempotency.Changes(r.Method):
		x.Identity.Rejoin = true
	default:
		return nil
	}
	x.Identity.Hasty = r.Header.Get("X-Stainless-Lang") == "go"
	x.Identity.Body = body.BodyHashes.Get().(hash.Hash)
	x.Identity.Body.Reset()
	return nil
}

// unrepeatable reports whether doing the call twice could create twice. An upstream that
// recognises repeats is of no help where a later call may go to another one.
func (x *exchange) unrepeatable() bool {
	elsewhere := len(x.Candidates) > 1 && len(x.Config.Failover) > 0
	return x.IsCreate() && (elsewhere || x.Config.Retry.Creates != policy.CreatesAlways)
}
