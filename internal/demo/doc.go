// Package demo shows what Outrigger does, without a key: the same calls meet the same
// simulated upstream twice at the same time, once straight and once through Outrigger,
// and the two are compared. One scene is a burst against a rate limit on a bad day, the
// next a crowd before an upstream that has few places.
//
// The upstream is internal/sim, one for each side, with one seed: limits and
// faults are the same. The client retries as OpenAI's SDKs do, on both sides;
// what differs is only what stands in between.
package demo
