package policy

import (
	"sync"
	"time"
)

// blameTime is how long another caller's success shows that an upstream is up: the
// breaker's window, over which outcomes are counted by default.
const blameTime = 10 * time.Second

// Blame tells failures that are an upstream's from those that are one caller's own: an
// account that is broken, a model that is not there. A caller that fails while others
// succeed says nothing of the upstream; where all that call it fail, each failure counts
// from the first on. Keys are up to callers, so those that fail are bounded: beyond the
// bound a failure counts as the upstream's. Safe for concurrent use; made by NewBlame.
type Blame[K comparable] struct {
	limit int

	mu      sync.Mutex
	failing map[K]blamed
	latest  worker[K] // the latest success
	other   worker[K] // the latest of another key than that
	blamed  K         // the latest that failed
}

// blamed is a key that failed lately.
type blamed struct {
	since time.Time // its first failure since it last succeeded; zero if it has succeeded since
	last  time.Time // its latest failure
}

type worker[K comparable] struct {
	key       K
	began, at time.Time
}

// NewBlame returns one that knows of at most limit failing keys.
func NewBlame[K comparable](limit int) *Blame[K] {
	return &Blame[K]{limit: limit, failing: map[K]blamed{}}
}

// Succeeded enters a success of key's, with an attempt that began then.
func (b *Blame[K]) Succeeded(now, began time.Time, key K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if entry, known := b.failing[key]; known {
		b.failing[key] = blamed{last: entry.last}
	}
	if b.latest.key != key {
		b.other = b.latest
	}
	b.latest = worker[K]{key, began, now}
}

// Failed enters a failure of key's, and reports whether it tells of the upstream: unless
// another key has succeeded since this one began to fail, and lately.
func (b *Blame[K]) Failed(now time.Time, key K) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	entry, known := b.failing[key]
	if !known && !b.hasRoom(now) {
		return true
	}
	b.blamed = key
	fresh := entry.since.IsZero()
	if fresh {
		entry.since = now
	}
	entry.last = now
	b.failing[key] = entry
	well := b.latest
	if well.key == key {
		well = b.other
	}
	return fresh || !well.began.After(entry.since) || now.Sub(well.at) > blameTime
}

// Try reports whether key may find out for itself whether the upstream is up, while it is
// left alone for failures of others: once, until it has failed or succeeded, or 10 s are over.
func (b *Blame[K]) Try(now time.Time, key K) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	entry, known := b.failing[key]
	if b.blamed == key || known && now.Sub(entry.last) <= blameTime || !known && !b.hasRoom(now) {
		return false
	}
	entry.last = now
	b.failing[key] = entry
	return true
}

// FailedLately reports whether key has failed within the last 10 s.
func (b *Blame[K]) FailedLately(now time.Time, key K) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	entry, known := b.failing[key]
	return known && now.Sub(entry.last) <= blameTime
}

// hasRoom reports whether one more key can be known, forgetting those that have not failed
// lately. Locked.
func (b *Blame[K]) hasRoom(now time.Time) bool {
	if len(b.failing) < b.limit {
		return true
	}
	for key, entry := range b.failing {
		if now.Sub(entry.last) > blameTime {
			delete(b.failing, key)
		}
	}
	return len(b.failing) < b.limit
}
