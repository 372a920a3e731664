// Package proxy is Outrigger's request path: an http.Handler between an app and
// OpenAI-compatible upstreams that queues, forwards, retries and fails over. What an answer
// means, and what to do about it, is decided in package policy; the packages here carry it
// out. This one composes them: New, ServeHTTP, Drain, Close.
//
// # The path of a request
//
// Each step is a package below this one; README.md says which imports which.
//
//	access       may this one call? Host, Origin, client token
//	call         what it wants: id, endpoint, deadline
//	body, pick   the body is read once, into memory or the spool, and its facts with it
//	affinity     only upstreams that have the objects it refers to
//	idempotency  was this key seen before? wait, replay, reject, or execute
//	loop         attempts until one answer can be passed on:
//	  gate         wait at an open breaker, or go on to the next upstream
//	  admission    queue for the rate limit, then for a slot
//	  upstream     address the request, and choose its connection
//	  attempt      send it, buffer the beginning of the answer, judge it
//	  negative     remember what refuses every call like it
//	stream       watch the committed answer to its end; or
//	tunnel       carry a WebSocket both ways to its end
//	observe      one event for the log and metrics, at the true end
//
// A request and its answer are an exchange: the caller's side of a loop.Run. The one
// httputil.ReverseProxy copies, and has the run for its transport.
//
// # Why one loop
//
// The steps of an attempt depend on each other: a refusal's hint moves the limiter, an open
// breaker ends retries, budget and deadline veto both, and a slot is free only when the
// stream has ended. In a chain of RoundTrippers these facts would travel through contexts
// and hooks, and the order would be read inside out. In one loop they are local, and the
// order is the order of lines. The cost is one function that everybody wants to add to:
// guard it.
//
// # Who may end a request
//
// Its context ends with a cause: the caller left (no cause of ours), the deadline, or a
// drain. An attempt's context is a child of it, with causes of its own: the attempt's
// timeout, silence, a replay by net/http. The cause tells what happened, and the error does
// not.
//
// # What one caller can do to another
//
// What callers or upstreams may name without end is never kept without a bound. Text is cut
// where it enters (packages wire and response). What is kept of it is counted in bytes,
// expires, and is evicted first where nothing was learned from it. Each credential has a
// share, so that a flood evicts its own entries (packages admission, negative, sticky,
// idempotency). Models that no answer has shown to exist share one limiter.
//
// What is concluded for other callers rests on a status or a code, never on words that the
// request may have chosen (policy/echoes, and policy/classify). A credential's failures are
// its own while another credential succeeds (policy.Blame). What a credential is, package
// carrier says.
package proxy
