// Package claims is the contract between the idempotency of calls and the stores that
// remember them: which calls run, which ended with which answer, and which have an unknown
// outcome, so that a call that is sent twice under one key is carried out once.
//
// Two words of the code: a create is a non-idempotent call, which must not run twice; a
// compute is a call without side effects, whose repetition costs only money.
//
// # A claim comes before the work
//
// Store.Begin claims a key atomically, before anything is sent upstream: of any number of
// concurrent calls exactly one gets State Claimed, and that one runs. It ends its claim once,
// with Finish (the answer is stored), Release (nothing was carried out, the next same call
// runs) or Lose (it may have been carried out, and there is no answer to keep).
//
// # A create never runs twice to save an answer
//
// Losing the answer of a compute costs money; losing that of a create can create twice. So
// whatever goes wrong with a create's claim (its process dies, its answer is lost or too
// large) leaves State Unknown under its key until the TTL ends, and never a free key. A
// compute's key is free again in the same cases.
//
// # Hashes only
//
// Keys, fingerprints and owners are hashes that the caller of a store makes, under the secret
// of Store.HashKey where they are kept. No store sees a credential, a token, a key as it was
// sent, or the body of a request. Answers are stored as they are.
package claims
