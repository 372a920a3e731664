// Package body reads the request's body once and sends it as often as attempts need it.
//
// Its center is Body: the buffered body, or one that can be read only once because there
// was no room for it; and the facts that package pick read from it. Outgoing returns the
// body for one attempt, with the model's name replaced where an upstream calls the model
// something else.
//
// Sending, Motion and Awake watch the bytes move, because a slow upload is no silent
// upstream: it moves the deadline, and clients that would give up meanwhile are sent
// informational responses.
//
// A compressed body is decoded in a copy, for its facts. It is forwarded as it came,
// unless its model has another name at the upstream.
package body
