// Package demo shows what Outrigger does, without a key: the same burst of calls
// meets the same simulated upstream twice at the same time, once straight and once
// through Outrigger, and the two are compared.
//
// The upstream is internal/sim, one for each side, with one seed: limits and
// faults are the same. The client retries as OpenAI's SDKs do, on both sides;
// what differs is only what stands in between.
package demo
