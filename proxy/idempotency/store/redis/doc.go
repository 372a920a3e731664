// Package redis is the store of idempotency claims that many processes share in one Redis.
//
// All processes that use the same Redis share keys, answers and the hash key. It must be
// one server, or look like one: Redis 6 or later, or Valkey. Each exchange is one Lua
// script, so it is atomic. All times are Redis's.
//
// # Leases
//
// A claim is a lease of 30 seconds, which its owner renews while the call runs. When the
// owner dies, a create becomes Unknown and a compute free. Each claim has a token, so an
// owner that comes back late overwrites nothing. A script recognizes its own token, so one
// whose reply was lost can be sent again.
//
// # When Redis is down
//
// Outrigger starts and runs without Redis. An exchange gets 0.4 seconds, more for large
// answers. After one that fails, all calls fail at once with ErrUnavailable while one
// goroutine tries to reconnect. Before anything new is claimed, that goroutine tells Redis
// what it missed: ends of claims, claims without a reply, and the claims still held, in
// case Redis has forgotten them. A Redis that is full is still asked for what it has, and
// claims nothing: ErrFull.
//
// # When Redis loses its data
//
// A loss is noticed before anything is claimed, and creates wait until all processes have
// resent what they hold: see graceTime. What no living process knows stays lost. So keep
// Redis's data on a disk (appendonly yes), and run it with maxmemory-policy noeviction, so
// that it reports that it is full instead of forgetting keys.
//
// # Why go-redis
//
// rueidis and valkey-go would make the binary 2 MB smaller. But they send all exchanges
// through one pipeline, where a small claim waits behind a large answer, and they cannot be
// created while Redis is down. go-redis gives each exchange a connection and a deadline of
// its own.
package redis
