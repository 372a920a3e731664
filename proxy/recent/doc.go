// Package recent keeps the last requests for the status page, and counts what was saved.
//
// Its center is Recorder, an observe.Recorder. It collects the spans of a request until the
// request ends, and keeps the last Kept requests, and the last KeptTroubled of those before
// them that did not go well: under load, 200 requests are less than a second, and what an
// operator looks for is what failed a minute ago.
//
// # What is kept
//
// Names, times, statuses, and words of Outrigger's own. No header, body or query is kept, and no
// message of an upstream's error, since it may quote the request: the log has it under the
// request's id. A credential is the first 8 hex digits of an HMAC of it.
//
// # Bounds
//
// Text is cut to at most 200 bytes, a request has at most MaxSpans spans, and at most
// MaxPending requests under way have spans kept; of the others the spans are forgotten. That is
// 5 MB at the very worst, and some 300 KB as a rule. Nothing runs in the background: a request
// costs one lock for each span, and one at its end.
package recent
