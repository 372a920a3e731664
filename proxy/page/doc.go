// Package page serves the status page and what feeds it: /, /events and /requests.json.
//
// The page is a few files that are embedded in the binary, without a framework and without
// anything from elsewhere. It is read-only, and shows what /status.json has, in words, and the
// last requests (package recent). It is pushed changes as server-sent events.
//
// # What it costs
//
// Nothing is computed while nobody listens: the first listener starts one goroutine, the last
// one to leave ends it. While somebody listens, the state is looked at twice a second at most,
// once for all listeners, and what has changed is sent, with the requests that have ended
// since. A look that took d is followed by a pause of at least 99 times d, so that looking
// takes at most 1 % of one core, however many limiters and requests there are. There are at
// most MaxListeners listeners; further ones get 503. A listener that does not keep up skips
// changes, and gets the whole state when it can take it.
//
// BenchmarkLook measures a look at 500 requests per second, with 50 limiters:
//
//	go test ./proxy/page -run xxx -bench Look
package page
