// Package httpfield reads what standard fields of an answer say about its rate limits and about the time of its
// server.
//
// [Clock] is the server's time: instants in an answer are by that clock, and the machine's may be off.
// [RateLimits] reads RateLimit and RateLimit-Policy. No input makes the package panic.
package httpfield
