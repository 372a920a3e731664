// Package memnet is a network in memory, with the latency of a real one: a listener
// and the dialling of it, for servers and clients that a test runs inside a
// testing/synctest bubble, where all of the time is the bubble's.
//
//	n := memnet.New(memnet.Latency{OneWay: 100 * time.Millisecond})
//	go server.Serve(n)
//	transport := &http.Transport{DialContext: n.Dial}
//
// A dial takes one round trip, as TCP's does. Bytes arrive in order, each write after
// the latency that was drawn for it; the end of a connection arrives like bytes do.
// What is under way is not bounded, so a write never waits. Nothing of a connection
// needs a goroutine.
package memnet
