// Package bench measures what Outrigger costs beside a bare reverse proxy.
//
//	go test -run '^$' -bench . -benchtime 1x ./test/bench
//
// A benchmark inside one process would charge the proxy for the load generator
// and the upstream as well. So the proxies run in processes of their own: the test
// binary starts itself twice, once as a httputil.ReverseProxy over a transport that keeps
// as many connections as Outrigger's, once as Outrigger with metrics, log, breaker and
// limiter on. The parent is the caller and the upstream, on loopback keep-alive
// connections.
//
// Each child reads its own CPU time (getrusage, user and system) and its count of
// allocations right before and right after a round, so start-up, the other child
// and the parent do not count. Rounds alternate between the children, and medians
// are reported, so what disturbs the machine for a while disturbs both.
package bench
