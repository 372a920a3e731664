// Package sim is a simulated OpenAI-compatible upstream: it answers like the real
// API, enforces real rate limits, fails in the ways that real upstreams fail, and
// keeps a ledger of what it really did. The tests, the benchmarks and the demo stand
// on it, and `outrigger sim` serves it to users.
//
//	s := sim.New(sim.Config{
//		Latency: 200 * time.Millisecond,
//		Limits:  []meter.Limit{{RPM: 60, TPM: 10_000}},
//		Faults:  []fault.Rule{{Kind: fault.KindReset, After: true, Path: "/v1/files", First: 1}},
//	})
//	defer s.Close()
//	base, err := s.Start("127.0.0.1:0") // or httptest.NewServer(s), or s.Serve(listener)
//	…
//	s.Duplicates() // what was done twice
//
// # One request
//
// In order: network delay; outage; fault rules that do not wait for the body
// (unread); credential and path; reading the body; model; account; limits by rate;
// limits of requests in progress; capacity; the other fault rules; the work; latency;
// network delay; the answer. So a request that a limit refuses meets no fault, and one
// that meets a fault has been charged: providers count failed requests too.
//
// # Decisions
//
// An answer is a value until it is sent. A fault that comes "after the work" drops
// it, one that spoils it changes how its bytes are written, and no endpoint knows
// of either. Work happens at the start of the latency, not at its end: a client
// that times out has caused it, as in life.
//
// No lock is held while anything waits, and no goroutine belongs to a batch, a
// background response or a limit: their state is computed from the time when
// somebody asks. So the simulator runs in a testing/synctest bubble with exact times
// (give Config.Listen or Serve a listener without sockets), and it is quick.
//
// Chance comes from the seed alone. Which requests a rule strikes depends on how
// many matched it before, not on the clock or on other rules.
//
// Faults below HTTP take the connection from the server (http.Hijacker). Where that
// is impossible, as on HTTP/2, the stream is aborted instead.
//
// # Packages
//
// This package takes requests from the network and brings answers there, spoiled where a
// fault wants that. Packages below it never import it: api has the endpoints, reply what they
// answer, limits and meter what keeps them from it, fault the rules of what goes wrong, ledger
// the record, fields the text form of settings. oracle tells tests how fast a perfect client
// would be.
//
// # Ledger
//
// A request's identity is its x-sim-request header, else its Idempotency-Key, else
// its credential, method, path and body. The simulator does not deduplicate: doing
// the same work twice is what Duplicates is there to find.
package sim
