// Package demo shows what Outrigger does, without a key: the same calls meet the same
// simulated upstream twice at the same time, once directly and once through Outrigger, and
// the results are compared. One scene is a burst against a rate limit on a bad day, the next
// a crowd at an upstream that runs few calls at once.
//
// The upstream is internal/sim, one for each side, with one seed: limits and faults are the
// same. The client retries as OpenAI's SDKs do, on both sides. Only what is between them
// differs.
package demo
