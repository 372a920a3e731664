// Package affinity sends a call to the upstream that created the objects it refers to:
// files, batches, responses, encrypted content.
//
// Its center is Homes. It groups the upstreams that are one place, reads the references in
// a request while its body is read, and reads the ids in answers. What is remembered about
// each id is in package sticky. With a single place nothing is remembered, and Homes is
// nil.
//
// An id counts only for the caller that saw it: under its own credential or, where
// Outrigger inserts the key, under the client token. Otherwise one caller could steer
// another caller's requests.
package affinity
