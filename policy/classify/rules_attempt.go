package classify

// attemptRules are about attempts that brought no answer, or half of one.
var attemptRules = []rule{
	{
		name: "canceled", then: Verdict{Outcome: OutcomeCanceled, Breaker: Ignore},
		match:    failure(Canceled),
		evidence: "the caller left: says nothing about the upstream (sony/gobreaker IsExcluded)",
	},
	{
		name: "unreachable", then: unreached,
		match:    failure(Unreachable),
		evidence: "dial, DNS or TLS failed: nothing was sent",
	},
	{
		name: "starved", then: Verdict{Outcome: OutcomeStarved, Repeat: Backoff, Breaker: Ignore},
		match:    failure(Starved),
		evidence: "connect(2), socket(2): EMFILE, ENFILE, ENOBUFS and EADDRNOTAVAIL are this machine's, not the upstream's",
	},
	{
		name: "not_processed", then: unreached,
		match:    failure(Refused),
		evidence: "RFC 9113, sections 6.8 and 8.7: REFUSED_STREAM and streams above GOAWAY's were not processed",
	},
	{
		name: "timeout", then: timedOut,
		match:    failure(Timeout),
		evidence: "the attempt's own time ran out; whether the request was carried out depends on how far it got",
	},
	{
		name: "never_left", then: unreached,
		match:    all(failure(Broke), unsent),
		evidence: "golang/go#22158: a kept connection was closed before the request was written",
	},
	{
		name: "broke", then: broken,
		match:    failure(Broke),
		evidence: "golang/go#22158: reset or EOF after the request was written proves nothing",
	},
	{
		name: "unusable", then: once(broken),
		match:    failure(TooLarge),
		evidence: "an answer that cannot be read is likely to come again",
	},
	{
		name: "malformed", then: Verdict{Outcome: OutcomeBroke, Scope: Upstream, Breaker: Ignore},
		match:    failure(Malformed),
		evidence: "an answer with Transfer-Encoding: chunked twice (maximhq/bifrost) comes from what stands there, and comes again",
	},
	{
		name: "failed_choice", then: Verdict{Outcome: OutcomeFailed, Scope: Model, Breaker: Fault}, asSent: true,
		match:    partialAnswer,
		evidence: "OpenRouter 200 with finish_reason error: the part that came is billed, so the caller decides",
	},
}
