// Package firstbyte lets one port serve TLS and cleartext. Its Listener tells them apart by
// a connection's first byte.
//
// A TLS connection begins with a record of type handshake, 22 (RFC 8446, section 5.1). No
// HTTP/1.1 request does (a method is a token, RFC 9110, section 5.6.2), nor does the preface
// of cleartext HTTP/2, "PRI" (RFC 9113, section 3.4).
//
// The wait for that byte does not block Accept: a caller that connects and sends nothing
// delays nobody else.
package firstbyte
