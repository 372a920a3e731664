// Package memory is the store of idempotency claims in the memory of one process. It forgets
// everything when the process ends.
//
// An answer takes no more memory than its bytes: header and body are kept in one slice of
// that length. While callers read an answer, it counts against the memory that all requests
// share, once however many read it, even when it is evicted or expires meanwhile.
package memory
