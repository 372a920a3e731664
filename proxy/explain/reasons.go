package explain

// decisions says why an attempt was repeated or not: policy.Reason.
var decisions = map[string]Words{
	"retry":                {"The failure may pass, so the request was sent again after a wait.", "OUTRIGGER_RETRY_MAX"},
	"rate_limit":           {"Refused for the rate: the request went back to the head of the queue. That is not a retry.", "OUTRIGGER_RPM, OUTRIGGER_TPM"},
	"final":                {"The answer was passed on: a success, or a failure that a retry cannot mend.", ""},
	"ambiguous":            {"The call may have been executed, so it was not sent again.", "OUTRIGGER_RETRY_CREATES"},
	"not_replayable":       {"The body is not kept, so it could not be sent again.", "OUTRIGGER_SPOOL_MAX"},
	"once":                 {"This failure is worth one retry, and had it.", ""},
	"attempts_exhausted":   {"All retries were used.", "OUTRIGGER_RETRY_MAX"},
	"retry_after_too_long": {"The upstream asked for a longer wait than is allowed.", "OUTRIGGER_RETRY_AFTER_MAX"},
	"deadline":             {"The wait could not end before the request's deadline.", "OUTRIGGER_TIMEOUT"},
	"budget":               {"Too many retries failed lately, so no more were allowed.", "OUTRIGGER_RETRY_BUDGET"},
	"failover":             {"The request went on to the next upstream.", "OUTRIGGER_FAILOVER"},
	"loading":              {"The model is being loaded, so the request waited for it.", "OUTRIGGER_TIMEOUT"},
	"confirm":              {"A key that worked a moment ago was refused. It was tried once more before that was believed.", ""},
	"still_running":        {"The same call is being made already at the upstream, so its answer was waited for.", "OUTRIGGER_TIMEOUT"},
	"refusal_streak":       {"Every request was refused for so long that a wait is not likely to end it. Refusals are answered from memory now.", "OUTRIGGER_TRIP_COOLDOWN"},
	"refused_alone":        {"This request was refused again and again while others passed, so it got the refusal.", ""},
}

// failovers says why an upstream was left: policy.FailoverCause.
var failovers = map[string]Words{
	"breaker":      {"The upstream's breaker is open.", "OUTRIGGER_FAILOVER, OUTRIGGER_BREAKER_RATIO"},
	"unreachable":  {"There was no connection to the upstream.", "OUTRIGGER_FAILOVER, OUTRIGGER_CONNECT_TIMEOUT"},
	"overloaded":   {"The upstream failed or lacked capacity.", "OUTRIGGER_FAILOVER"},
	"rate_limited": {"The upstream refused for the rate, or the wait there was longer.", "OUTRIGGER_FAILOVER"},
	"quota":        {"The key there has no quota left, or may not make the request.", "OUTRIGGER_FAILOVER"},
}

// queues says what a request queued for: the reasons of observe.SpanQueue.
var queues = map[string]Words{
	"rate":        {"Waited for its turn at the rate limit.", "OUTRIGGER_RPM, OUTRIGGER_TPM, OUTRIGGER_LEARN"},
	"concurrency": {"Waited for a call in flight to end.", "OUTRIGGER_MAX_INFLIGHT, OUTRIGGER_CONCURRENCY"},
	"others":      {"Was refused while others may pass, so those went first.", "OUTRIGGER_LEARN"},
	"model":       {"Waited until the model was loaded.", "OUTRIGGER_TIMEOUT"},
}

// breakers says what a request waited for at a breaker.
var breakers = map[string]Words{
	"":       {"Waited at the open breaker of the upstream.", "OUTRIGGER_BREAKER_WAIT"},
	"scope":  {"Waited at the open breaker of its endpoint and model.", "OUTRIGGER_BREAKER_WAIT"},
	"budget": {"Waited because the retry budget was spent.", "OUTRIGGER_RETRY_BUDGET"},
}

// breaks says why an answer broke off: call.ReasonReset and the others.
var breaks = map[string]Words{
	"reset":     {"The upstream reset the connection.", ""},
	"early_end": {"The upstream ended the answer before it was whole.", ""},
	"silence":   {"The upstream sent nothing for too long.", "OUTRIGGER_STREAM_IDLE_TIMEOUT"},
	"parse":     {"What the upstream sent could not be read.", ""},
	"lost":      {"The connection was lost.", ""},
	"shutdown":  {"Outrigger ended it at the end of a drain.", "OUTRIGGER_DRAIN_TIMEOUT"},
}
