// Package stream watches a committed answer to its end, and reports a truncated stream as
// an error.
//
// Serve replaces the body of an attempt's answer. The bytes pass unchanged; package
// eventstream says whether the content was complete. A stream that was cut gets an error
// event in its own dialect, and the connection to the caller is aborted, so that no client
// takes the end for a clean one. Serving is what the watcher needs of the run.
//
// # Background responses are resumed
//
// Resumable makes the body of a background Responses stream one that fetches the rest
// after a cut. Only whole events are passed on meanwhile, so that the rest can begin with
// the next one. A resume uses the same upstream and credential, waits at its breaker and
// in its queue, and executes nothing again.
package stream
