// Package chaos runs the outrigger binary between callers and a simulated upstream while the
// network between it and the upstream fails in every way that a network can: connections are
// reset, closed inside a head or a body, cut in pieces, delayed, swallowed, half closed, or not
// answered at all. The configuration changes too: a walk through it by SIGHUP. What must hold
// is judged by the upstream's own ledger:
//
//   - no create is carried out twice, and none that was carried out is told as one that was not;
//   - a key has one answer, and every caller of it gets that one;
//   - an answer that ends cleanly is the upstream's, byte for byte, and a stream that is not whole never does;
//   - every call ends;
//   - nothing is left at the end: goroutines, descriptors, bodies, heap.
//
// Faults come from package relay, which needs nothing, and where root and the kernel permit it
// from the kernel itself: a network namespace with tc and nftables.
//
//	go test ./test/chaos                      two minutes, 60 requests a second, the same walks in every run
//	make chaos CHAOS=1h RATE=500              one walk of an hour, with a line of figures each minute
//	make chaos CHAOS=10m STORE=redis
//
// Nothing here depends on how fast the machine is.
package chaos
