// Package intercept is the HTTPS_PROXY mode: it answers CONNECT (RFC 9110, section
// 9.3.6) for apps whose base URL cannot be set.
//
// A tunnel to an upstream is not dialled: once it stands, it is a caller's
// connection like any other, and what is sent in it takes the path of all requests.
// Every other tunnel is blind. Bytes pass as they come, nobody here can read them,
// and it leads to port 443 of a public address or nowhere: whoever can reach this
// process must not reach through it what only this machine can.
package intercept
