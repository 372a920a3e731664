package negative

import (
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/proxy/admission"
	"outrigger/proxy/carrier"
	"outrigger/proxy/response"
)

// The remembered refusals of one upstream are bounded in number and in bytes; each holds an
// answer, of 64 KiB at most and a few hundred bytes as a rule. One credential's take a quarter at
// most: models that it may not use are its own choice.
const (
	maxTrips   = 1024
	tripBytes  = 2 << 20
	tripsShare = 4
)

// Cache holds one upstream's cached refusals: of revoked or exhausted credentials. Safe
// for concurrent use.
type Cache struct {
	Any       atomic.Bool                            // the fast path: there has never been one
	Trips     *policy.Trips[Key, *response.Buffered] // and models that refusal streaks concern
	Elsewhere Elsewhere                              // what other processes remember; nil is none
	// Tell is told of refusals that are remembered, or no longer; nil tells nobody. It must not
	// call the cache.
	Tell     func(News)
	cooldown atomic.Int64
}

// News is a refusal that was remembered or forgotten.
type News struct {
	Key    Key
	Answer *response.Buffered
	// Remembered says that it is given again from now on, until Until; else it is no more, and
	// Cause says why.
	Remembered bool
	Until      time.Time
	Cause      string
}

// Key is what a refusal is remembered for: who paid, and who called. It quotes the
// request that drew it, and a header that nobody knows may be what was refused.
type Key struct {
	admission.Key

	Caller carrier.Credential
}

// NewTrips returns an empty cache. A refusal is given again for cooldown before one call
// probes whether it still holds.
func NewTrips(cooldown time.Duration) *Cache {
	t := &Cache{Trips: policy.NewTrips[Key, *response.Buffered](cooldown, maxTrips)}
	t.cooldown.Store(int64(cooldown))
	t.Trips.Bound(policy.TripBounds[Key, *response.Buffered]{
		Most: tripBytes, Each: tripBytes / tripsShare,
		Size:  func(key Key, answer *response.Buffered) int { return answer.Size() + len(key.Model) },
		Owner: func(key Key) Key { return Key{Key: admission.Key{Credential: key.Credential}} },
	})
	t.Trips.Gone(func(key Key, answer *response.Buffered) {
		t.tell(News{Key: key, Answer: answer, Cause: "nobody asks for it, or others need its room"})
	})
	return t
}

func (t *Cache) tell(n News) {
	if t.Tell != nil {
		t.Tell(n)
	}
}

// Configure puts another cooldown into force.
func (t *Cache) Configure(cooldown time.Duration) {
	t.cooldown.Store(int64(cooldown))
	t.Trips.Configure(cooldown)
}

// lasts is the cooldown in force.
func (t *Cache) lasts() time.Duration { return time.Duration(t.cooldown.Load()) }

// Check returns the cached refusal of key, and whether its caller is to be refused with it, is
// the probe, or may pass.
func (t *Cache) Check(now time.Time, key Key) (*response.Buffered, policy.TripState) {
	if !t.Any.Load() {
		return nil, policy.Clear
	}
	return t.Trips.Check(now, key)
}

// Set remembers an answer as the refusal of key. An answer that is remembered already is no news.
func (t *Cache) Set(now time.Time, key Key, answer *response.Buffered) {
	t.Any.Store(true)
	if t.Trips.Set(now, key, answer) {
		t.tell(News{Key: key, Answer: answer, Remembered: true, Until: now.Add(t.lasts())})
	}
}

// forget forgets the refusal of key.
func (t *Cache) forget(key Key, cause string) {
	if answer, known := t.Trips.Clear(key); known {
		t.tell(News{Key: key, Answer: answer, Cause: cause})
	}
}
