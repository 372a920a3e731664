// Package authority is a certificate authority for one machine: apps that trust it
// accept Outrigger as their upstream's host, or as localhost, over TLS.
//
// # What it can do, and to whom
//
// Whoever has its key can pass for the hosts it may vouch for, towards those who
// trust it. So these are as few as can be: the certificate has a critical name
// constraint (RFC 5280, section 4.2.1.10) of exactly the upstreams' hosts, localhost
// and the loopback addresses, may only sign for servers, and not for other
// authorities. It ends after a year. The key is made here, on first need, is
// readable by its owner alone, and is never shown or sent.
//
// # Its files
//
//	DIR/ca.pem               the certificate, for apps to trust
//	DIR/private/ca-key.pem   key and certificate, 0600 in a directory of 0700
//	DIR/private/lock         held while they are read or made
//
// An authority that was made for other hosts is not widened: opening it fails, and
// the error says what to remove. One that is about to end is replaced.
package authority
