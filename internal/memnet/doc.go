// Package memnet is a network in memory, with the latency of a real one. It provides a
// listener and a dialer for servers and clients that a test runs inside a testing/synctest
// bubble, where all time is the bubble's.
//
//	n := memnet.New(memnet.Latency{OneWay: 100 * time.Millisecond})
//	go server.Serve(n)
//	transport := &http.Transport{DialContext: n.Dial}
//
// A dial takes one round trip, as with TCP. Bytes arrive in order, each write after the
// latency drawn for it; the end of a connection arrives as bytes do. The amount in flight is
// not bounded, so a write never waits. A connection needs no goroutine.
package memnet
