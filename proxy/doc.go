// Package proxy is Outrigger's request path: an http.Handler between an app and
// OpenAI-compatible upstreams that waits, sends, repeats and relays. What an
// answer means and what to do about it is decided in package policy; this
// package carries it out.
//
// # The path of a request
//
// One straight line, each step a file of that name:
//
//	open         the exchange: id, deadline, context           proxy.go, exchange.go, deadline.go
//	callers      may this one call? host, origin, token        callers.go
//	route        which upstreams, in which order               route.go, target.go
//	body         read once, whole: memory, then spool          callerbody.go, spool
//	identify     endpoint                                      route.go, pick, policy/endpoint
//	home         only where the objects are that it refers to  homes.go, sticky
//	idempotency  asked before? wait, replay, refuse, or go on  idempotency.go, flight.go, rejoin.go, store
//	relay        httputil.ReverseProxy, one literal            relay.go
//	 RoundTrip   the attempt loop                              roundtrip.go
//	   face      the request as the upstream at hand gets it   address.go, rename.go, tier.go
//	   model     wait while it is loading                      loadings.go
//	   gate      wait at an open breaker, or go on to the next  failover.go, scopes.go, gate.go, gatewait.go, gateline.go
//	   admit     wait in the limiter's line                    admit.go, line.go, lines.go, turnstile.go, siblings.go
//	   slots     wait for a call in flight to end              concurrency.go, slots.go, slot.go, slotorder.go
//	   begin     trip, breakers' permits, retry budget         roundtrip.go, budgetwait.go
//	   send      one attempt, traced                           attempt.go, sending.go, trace.go, transport.go,
//	                                                       connections.go, http1.go, upstreamkey.go
//	   peek      hold what decides the outcome                 peek.go, hold.go, labels.go, content.go, wrong.go
//	   judge     policy/classify
//	   learn     tell slots, limiter, breakers, budget, trips  concurrency.go, learn.go, scopes.go, trips.go
//	   weigh     with the attempts before it and of others     refusals.go, streaks.go, alone.go, confirm.go
//	   decide    policy.Retry, policy.Failover                 failover.go
//	 commit      hand the answer to the relay                  commit.go, saved.go
//	 stream      watch the committed answer to its end         stream.go, streamidle.go, failedstream.go, encoded.go
//	  resume     go on with a background stream that was cut   resume.go, resumecut.go, resumeask.go
//	 tunnel      or carry a WebSocket both ways to its end     tunnel.go, flow.go, wsframe
//	observe      log line and metrics, once, at the true end   observe.go, record.go
//
// # Why one loop
//
// The steps of an attempt depend on each other: a refusal's hint moves the
// limiter, an open breaker ends retries, budget and deadline veto both, a slot
// is free when the stream has ended. In a chain of RoundTrippers these facts
// travel through contexts and hooks and the order is read inside out. In one
// loop they are local and the order is the order of lines. The cost is one
// function that everybody wants to add to; guard it.
//
// RoundTrip returning is the commit point: before, nothing was written to the
// caller and an attempt may be repeated; after, bytes are only relayed.
//
// # Why the breaker's wait comes before the limiter's
//
// A permit of the limiter that waits at an open breaker would be used, with all
// others, when the breaker closes: a burst over the limit. And a permit of the
// breaker that waits for the limiter would hold up all probes. So a request
// waits at the gate without either, then in line, and takes the breaker's
// permit last.
//
// # Going on to the next upstream
//
// A request is at one upstream at a time: exchange.facing is all that depends on
// which, and move is the only way to another. An upstream that was left for its
// failure is not come back to; one that was left for its open breaker may be. All
// that is counted is counted where it happened: each upstream has its own line,
// budget, breaker, slots and trips, and only the deadline is the whole request's.
//
// Whoever knows that an upstream alone can answer binds the request to it with
// exchange.pin before the relay; exchange.committed sees each answer with the
// upstream that gave it.
//
// # What is held of an answer
//
// A failure can be repeated only while nothing was passed on. So an error's
// body, a JSON answer up to 1 MiB, and a stream up to its first meaningful event
// are held (for 5 s, 5 s and 2 s). The last answer that arrived whole is kept
// while another attempt is made: if that one cannot be, the caller gets it,
// byte for byte.
//
// What an answer is its bytes tell, not its labels: those only say what to look for. An
// encoded one is decoded in a copy, while its bytes pass.
//
// # A call that is not its caller's alone
//
// A call with the caller's own key is a flight: it runs in a goroutine and with an
// exchange of its own, and writes its answer into a recording. Every caller that asks
// for it, the first included, reads from there at its own speed, and may leave without
// ending it. What later callers must find, the stored answer or the free key, is
// settled before the readers see the end. With OUTRIGGER_REJOIN all calls that change
// something are made so.
//
// # What one caller can do to another
//
// Nothing that callers or upstreams may name without end is kept without a bound: text is
// cut where it enters (callertext.go, head.go), what is kept of it is counted in bytes, goes
// by time, and goes first where nothing was learned; each credential has a share, so that
// a flood takes from its own (lineroom.go, trips.go, detached.go, sticky, store). Models that no
// answer showed to exist have one limiter together (prove.go).
//
// What is concluded for others rests on a status or a code, never on words that the
// request may have chosen (echoes.go, classify's firm.go). A credential's failures are its
// own while another succeeds (policy.Blame), and what a credential is, package carrier says.
//
// # Who may end a request
//
// Its context ends with a cause: the caller left (no cause of ours), the
// deadline, a drain. An attempt's context is its child with causes of its own:
// the attempt's timeout, silence, a replay by net/http. The cause, not the
// error, tells what happened.
package proxy
