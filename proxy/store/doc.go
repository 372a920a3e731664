// Package store remembers which idempotent calls run, which are done with which
// answer, and which may have been done without anybody knowing: so that a call
// asked twice under one key is done once.
//
// Store is the one interface. Open makes the implementation that a Config names:
// the memory of this process, a file that survives it, or a Redis that many share.
// What one key leads to is the same in all three, and one test suite holds them to
// it; they differ in who shares it and in what they survive.
//
// # A claim comes before the work
//
// Begin claims a key atomically, before anything is sent upstream: of any number of
// calls at once exactly one gets State Claimed, and that one runs. It ends its claim
// once, with Finish (the answer is stored), Release (nothing was done, the next same
// call runs) or Lose (it may have been done, and there is no answer to keep).
//
// # A create is never run twice to save an answer
//
// Losing the answer of a compute costs money, losing that of a create can create
// twice. So whatever goes wrong with a create's claim (its owner dies, its answer is
// lost, or is too large to be kept) leaves State Unknown under its key until the TTL
// ends, and never a free key. A compute's key is free again in the same cases.
// When room is needed, answers of computes go before those of creates.
//
// # What the file survives
//
// The end of its process at any point, and of the machine where the disk keeps what it
// was told to sync: a create's claim is on the disk before Begin returns, an answer
// before Finish does. A create in flight at the end is Unknown from then on, a compute
// runs again. Claims that come together share a sync.
//
// One process has the file at a time. It is read whole when it is opened, each page and
// each record is checked, and a file that is not whole is refused by its name and left
// as it is: see verify. Damage that comes later fails the calls that meet it. A full
// disk fails what is new, with ErrFull, and takes nothing away. The file does not
// shrink; the space of what was forgotten is used again.
//
// The file is a bbolt database, because that is one small pure-Go dependency that
// commits by writing pages aside: a kill leaves the last commit or the one before. It
// neither locks across network file systems nor bears being copied while in use.
//
// # What is kept
//
// Keys and fingerprints are hashes that the caller makes under the secret of HashKey;
// no store sees a credential, a token, a key as it was sent, or a request's body.
package store
