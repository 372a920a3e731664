// Package idempotency executes a call once per Idempotency-Key, and gives its answer to
// every caller that asks for it.
//
// Its center is Calls. Once serves a call with a key: from the store, from the same call
// that is in flight, or by executing it. Rejoinable serves a call without a key that may
// go on after its caller has left (OUTRIGGER_REJOIN), so that the client's own retry can
// join it.
//
// # A call apart from its callers
//
// Such a call is a Flight. It runs in a goroutine of its own and writes its answer into a
// recording (package recording). Every caller, the first included, reads from there at its
// own speed, and may leave without ending the call. What later callers must find, the
// stored answer or the free key, is settled before the readers see the end of the answer.
//
// # Who executes it
//
// This package does not know the attempt loop. A Caller brings a CallerHost, whose Launch
// returns an Execution: package proxy implements both.
//
// # When the store fails
//
// A call without side effects is executed all the same, and its answer is not stored. A
// non-idempotent one is refused: without its claim the next call with its key would run
// too, here or at another sidecar.
package idempotency
