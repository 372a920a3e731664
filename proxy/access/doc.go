// Package access decides who may call, before anything of a request is read: by Host, by
// browser origin, and by client token. Its center is Callers, whose Admit returns the
// error that the caller gets.
//
// # What each check is for
//
// Host stops DNS rebinding: a web page whose own name resolves to 127.0.0.1 would
// otherwise reach a listener on loopback. Origin stops pages that the operator did not
// name. A client token is for listeners that other machines reach. Tokens are kept as
// hashes and compared in constant time.
//
// Who calls has a name in log, metrics and traces: that of its client token, and behind it the one
// that it gives itself in x-outrigger-caller, where the operator asks for that. A token's name is
// authenticated and the other is not, so that nobody gets a token's name by the header.
//
// A request from a page that may call can be a preflight. IsPreflight tells it, and
// package proxy answers it.
package access
