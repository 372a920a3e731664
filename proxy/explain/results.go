package explain

// sources says where an answer came from: call.Source.
var sources = map[string]Words{
	"upstream": {"The upstream's answer.", ""},
	"local":    {"An error that Outrigger wrote.", ""},
	"tripped":  {"A refusal from memory.", "OUTRIGGER_TRIP_COOLDOWN"},
	"replay":   {"The answer that the same call got before.", "OUTRIGGER_IDEMPOTENCY_TTL"},
}

// resumes says how a resume went.
var resumes = map[string]Words{
	"resumed":     {"The cut stream was fetched on from where it broke.", "OUTRIGGER_RESUME"},
	"refused":     {"The upstream did not give the rest of the stream.", ""},
	"unreachable": {"The upstream could not be asked for the rest of the stream.", ""},
	"cut":         {"The stream was cut again before anything new came.", ""},
	"too_late":    {"It was too late to fetch the rest of the stream.", ""},
}

// results says what became of a call with a key.
var results = map[string]Words{
	"stored":     {"The answer is stored for the same key.", "OUTRIGGER_IDEMPOTENCY_TTL"},
	"failed":     {"The call failed and did nothing, so the next one with the key runs.", ""},
	"too_large":  {"The answer was too long to store.", "OUTRIGGER_IDEMPOTENCY_BYTES"},
	"not_stored": {"The store could not take the answer.", "OUTRIGGER_STORE"},
	"lost":       {"The answer of a create was lost. The key is kept from running again.", "OUTRIGGER_RETRY_CREATES"},
	"no_store":   {"The call was made without the store, which did not answer.", "OUTRIGGER_STORE"},
	"replayed":   {"The stored answer was given.", "OUTRIGGER_IDEMPOTENCY_TTL"},
	"waited":     {"The answer of the same call, which was under way, was given.", ""},
	"in_use":     {"The same call was still under way at the caller's deadline.", "OUTRIGGER_TIMEOUT"},
	"reused":     {"The key belongs to another call.", ""},
	"unknown":    {"A create with this key may have been executed.", "OUTRIGGER_RETRY_CREATES"},
	"store_down": {"A create was refused while the store did not answer or was full.", "OUTRIGGER_STORE"},
	"invalid":    {"The Idempotency-Key cannot be used.", ""},
	"crowded":    {"The call ended with its callers, since too many go on without theirs.", "OUTRIGGER_MEMORY_MAX"},
	"abandoned":  {"The caller left, and the call went on for its retry.", "OUTRIGGER_REJOIN"},
	"rejoined":   {"The caller's retry was given the answer.", "OUTRIGGER_REJOIN"},
	"unclaimed":  {"The caller left, the call went on, and no retry came.", "OUTRIGGER_REJOIN"},
}

// kinds says the parts of a request's time: observe.Kind.
var kinds = map[string]Words{
	"queue":        {"queue", ""},
	"breaker":      {"breaker", ""},
	"backoff":      {"wait before a retry", ""},
	"attempt":      {"attempt", ""},
	"hold":         {"held answer", ""},
	"stream":       {"stream", ""},
	"resume":       {"resume", ""},
	"failover":     {"next upstream", ""},
	"refused":      {"no retry", ""},
	"client_retry": {"the client's own retry", ""},
	"idempotency":  {"idempotency", ""},
	"batch":        {"batch", ""},
	"panic":        {"panic", ""},
}

// woulds says what enforce mode would have done with a request that was only observed.
var woulds = map[string]Words{
	"passed":       {"Enforce mode would have done the same.", ""},
	"paced":        {"It would have queued the request for a limit.", "OUTRIGGER_QUEUE_TIMEOUT, OUTRIGGER_QUEUE_MAX"},
	"held":         {"It would have held the request at an open breaker, or for the retry budget.", "OUTRIGGER_BREAKER_WAIT"},
	"retried":      {"It would have repeated an attempt.", "OUTRIGGER_RETRY_MAX"},
	"failed_over":  {"It would have gone on to the next upstream.", "OUTRIGGER_FAILOVER"},
	"refused":      {"It would have answered with an error of its own, without a call.", "OUTRIGGER_QUEUE_TIMEOUT, OUTRIGGER_BREAKER_WAIT"},
	"cached":       {"It would have answered from memory, without a call.", "OUTRIGGER_TRIP_COOLDOWN"},
	"cut_reported": {"It would have ended the cut stream with an error event.", ""},
	"sdk_retry":    {"The client's own retry would not have come.", "OUTRIGGER_CLIENT_RETRIES"},
	"unknown":      {"What it would have done is not known.", ""},
}
