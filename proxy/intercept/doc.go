// Package intercept is the HTTPS_PROXY mode: it answers CONNECT (RFC 9110, section 9.3.6)
// for apps whose base URL cannot be set.
//
// A tunnel to an upstream is not dialled. Once it is established, it is handled like any
// other connection from a caller, and its requests take the usual path. Every other tunnel
// is blind: bytes are forwarded unread, and only to port 443 of a public address. Callers
// must not reach through this process what only this machine can reach.
package intercept
