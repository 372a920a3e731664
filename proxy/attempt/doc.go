// Package attempt makes one try of a request: it records how far the request got, buffers
// the beginning of the answer, and judges it.
//
// Its center is Attempt. Peek buffers what decides the outcome; Describe and Reached give
// it to policy/classify; Finish gives back everything that the attempt held, once. Which
// attempt comes next is decided in package loop.
//
// # What is buffered of an answer
//
// An attempt can be retried only while nothing of its answer was passed on. So an error's
// body, a JSON answer up to 1 MiB, and a stream up to its first event with content are
// buffered, for at most 5 s, 5 s and 2 s. All else is committed with its headers.
//
// # Why requests are traced
//
// Whether a request may be sent again depends on what the upstream saw of it, and an error
// of net/http does not tell. Progress learns it from httptrace: whether there was a
// connection, whether that was reused, and when the request was written. It also ends an
// attempt whose transport sends the request a second time by itself.
package attempt
