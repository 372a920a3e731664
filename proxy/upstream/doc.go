// Package upstream knows one API and how to call it.
//
// Its center is API: Address turns a caller's request into the upstream's (URL, query,
// credential, headers), and Transport picks the connections for an attempt. Models says
// what the upstream calls a model.
//
// # Two pools of connections
//
// A reused connection that the server closes may lose a request after it was written, and
// nothing tells whether it was carried out. Over HTTP/1.1 a non-idempotent call therefore
// gets a connection of its own. All others share kept ones, which are closed before
// servers close them and renewed after failures, because the name may stand for another
// host by then.
//
// # HTTP/2 that does not work
//
// Behind some load balancers HTTP/2 is broken while HTTP/1.1 works. HTTP1Only learns that
// from failures, and lets the upstream be spoken to in HTTP/1.1 for a while.
//
// # Late responses
//
// A server that refuses a long body answers and closes. net/http drops that answer when it
// sees the failed write first. Late delays such a failure until the response was read.
package upstream
