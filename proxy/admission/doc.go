// Package admission queues requests in front of rate limits and of limits on calls in
// flight.
//
// Queues holds one Queue for each credential and model of an upstream, because that is
// what providers keep a rate limit for. A request holds a Ticket there for all its
// attempts: it is queued, admitted, sent, answered or refused, and left. The arithmetic is
// in policy/limit; this package adds waiting, and the order of those who wait. Slots
// bounds the calls in flight, by configuration and by what refusals have shown
// (policy/concurrency).
//
// # Shared quotas
//
// Several queues may draw on one quota, as the keys of an organization do. When answers
// show that, the queues are moved to one scheduler, and moved back if later answers
// contradict it. Configured limits are never shared: they are meant for each credential.
//
// # Why unused queues are bounded in bytes
//
// Callers choose credentials and models, so they could create queues without end. Queues
// in use are bounded by the calls in flight. Those that nobody uses are bounded in bytes,
// for all and for each credential, and the first to go are those that learned nothing.
// Models that no answer has shown to exist share one limiter for each credential.
package admission
