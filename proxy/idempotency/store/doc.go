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
// When room is needed, the owner that has most makes it, in memory and in a file: its
// computes' answers go before those of its creates, and of these it is kept in mind that
// they were done, while there is room for that. A create that may have been done and had
// no answer makes no room before its TTL ends, whoever fills the store: where the places
// for those are taken, new creates are refused with ErrFull, for which nothing was sent,
// while what is forgotten may be done twice. One owner can take half of them, so its flood
// refuses its own creates first.
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
// disk fails what is new, with ErrFull, and takes nothing away. So does a file that is
// removed or replaced while it is open, with ErrUnavailable: the next process would not
// find in it what is claimed here. The file does not
// shrink; the space of what was forgotten is used again.
//
// The file is a bbolt database, because that is one small pure-Go dependency that
// commits by writing pages aside: a kill leaves the last commit or the one before. It
// neither locks across network file systems nor bears being copied while in use.
//
// # What a Redis shares
//
// Keys, answers and the hash key are those of all that use the same Redis; it has to be
// one server, or what looks like one, of version 6 or later or a Valkey. Each exchange
// is one Lua script, so it is atomic; all times are Redis's.
//
// A claim is a lease of 30 seconds that its owner renews while the call runs. When the
// owner dies, a create becomes Unknown and a compute free. Each claim has a token, so an
// owner that comes back late overwrites nothing that others did since; and since a
// script knows its own token, one whose reply was lost can be sent again.
//
// Redis is needed neither to start nor to run. An exchange gets 0.4 seconds,
// more for large answers; after one that fails, all calls fail at once with
// ErrUnavailable while one goroutine asks whether Redis is well. Then, before anything
// new is begun, it is told what it missed: ends of claims, claims without a reply, and
// the claims still held, in case it has forgotten them. A Redis that has lost what it knew
// is noticed before anything is claimed there, and creates wait until all have told it:
// see redisGrace. What nobody who lives knows stays lost: keep Redis's data on a disk
// (appendonly yes) where that matters. Likewise, Redis should run with
// maxmemory-policy noeviction, so that it says that it is full instead of forgetting.
// A full one is asked on for what it has, and claims nothing: ErrFull.
//
// The client is go-redis, although rueidis and valkey-go would make the binary 2 MB
// smaller: it gives each exchange a connection of its own, so that a small claim waits
// behind no large answer and its deadline is its own, and it can be made before there
// is a Redis. Those two put all exchanges in one pipeline and refuse to be made.
//
// # What is kept
//
// Keys and fingerprints are hashes that the caller makes under the secret of HashKey;
// no store sees a credential, a token, a key as it was sent, or a request's body. The
// secret of a file or a Redis lies beside what it protects: it makes hashes useless to
// who sees only them, not to who has the whole store. Answers are kept as they are.
package store
