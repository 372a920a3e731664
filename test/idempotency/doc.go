// Package idempotency runs whole sidecars with each kind of store, kills them, takes
// their Redis away, and compares what callers were told with what the simulated
// upstream did.
package idempotency
