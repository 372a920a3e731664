// Package httpfield reads what standard fields of an answer say about its rate limits and
// about the server's time.
//
// [Clock] is the server's time. Instants in an answer refer to that clock, and this
// machine's clock may be wrong. [RateLimits] reads RateLimit and RateLimit-Policy. No input
// makes the package panic.
package httpfield
