// Package gate holds requests at open circuit breakers.
//
// Its center is Gate: one breaker of package policy, with the queue of those who wait for
// it. While the breaker is open, one request at a time is let out as a probe; once it has
// closed, the queue is let out in a ramp. Scopes are the breakers of an upstream's
// endpoints and models, each for one credential: one of them can fail while the rest is
// well.
//
// # Being let out is no permit
//
// Allow takes the breaker's permit just before the attempt. The queue of the limiter comes
// in between, and a probe that waited there with a permit would hold up all others.
package gate
