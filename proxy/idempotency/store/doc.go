// Package store opens the store of idempotency claims that a setting names: the memory of
// this process, a file that survives it, or a Redis that many processes share.
//
// What a key leads to is the same in all three: package claims says what, and one test suite
// (test/storetest) holds them to it. They differ in who shares the claims and in what they
// survive: see packages memory, file and redis.
//
// The secret of a file or a Redis lies beside what it protects. It makes the hashes useless
// to somebody who sees only them, not to somebody who has the whole store.
package store
