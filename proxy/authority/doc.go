// Package authority is a certificate authority for one machine: apps that trust it accept
// Outrigger, over TLS, as their upstream's host or as localhost.
//
// # Limits on what it can sign
//
// Whoever has its key can impersonate the hosts that it may sign for, towards everyone who
// trusts it. So these are as few as possible. The certificate has a critical name constraint
// (RFC 5280, section 4.2.1.10) of exactly the upstreams' hosts, localhost and the loopback
// addresses. It may sign for servers only, not for other authorities, and is valid for a
// year. The key is created here, on first use, is readable by its owner alone, and is never
// shown or sent.
//
// # Files
//
//	DIR/ca.pem               the certificate, for apps to trust
//	DIR/private/ca-key.pem   key and certificate, 0600 in a directory of 0700
//	DIR/private/lock         held while they are read or created
//
// An authority that was created for other hosts is not widened: opening it fails, and the
// error says what to remove. One that is about to expire is replaced.
package authority
