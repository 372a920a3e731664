// Package firstbyte lets one port serve TLS and cleartext: a Listener that tells
// them apart by a connection's first byte.
//
// A TLS connection begins with a record of type handshake, 22 (RFC 8446, section
// 5.1). No request of HTTP/1.1 does (a method is a token, RFC 9110, section
// 5.6.2), nor does the preface of cleartext HTTP/2, "PRI" (RFC 9113, section 3.4).
//
// The byte is waited for beside Accept: a caller that connects and sends nothing
// holds up nobody else.
package firstbyte
