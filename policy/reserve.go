package policy

import (
	"sync"
	"time"
)

// Reserve keeps a few retries for each caller whose calls succeed, for when the others
// have spent the budget: each success sets one aside, up to the budget's floor, and they
// lapse with the budget's window. In an outage nothing succeeds, so they add at most that
// floor once for each caller. Keys are up to callers, so their number is bounded: beyond
// the bound, one that succeeds anew has none. Safe for concurrent use; made by NewReserve.
type Reserve[K comparable] struct {
	limit int

	mu    sync.Mutex
	byKey map[K]*reserved
}

type reserved struct {
	retries int
	at      time.Time // of the latest success
}

// NewReserve returns one for at most limit keys.
func NewReserve[K comparable](limit int) *Reserve[K] {
	return &Reserve[K]{limit: limit, byKey: map[K]*reserved{}}
}

// Earn enters a success of key's.
func (r *Reserve[K]) Earn(now time.Time, key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := r.byKey[key]
	if own == nil {
		if len(r.byKey) >= r.limit {
			r.makeRoom(now)
		}
		if len(r.byKey) >= r.limit {
			return
		}
		own = &reserved{}
		r.byKey[key] = own
	}
	if now.Sub(own.at) > budgetWindow {
		own.retries = 0
	}
	own.retries, own.at = min(own.retries+1, budgetFloor), now
}

// Take takes one retry of key's, and reports whether there was one. Take it for every
// retry, whoever pays for it: what is left is then what the caller has not had.
func (r *Reserve[K]) Take(now time.Time, key K) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := r.byKey[key]
	if own == nil || own.retries == 0 || now.Sub(own.at) > budgetWindow {
		return false
	}
	own.retries--
	return true
}

// Return gives one back that did not fail.
func (r *Reserve[K]) Return(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if own := r.byKey[key]; own != nil {
		own.retries = min(own.retries+1, budgetFloor)
	}
}

// makeRoom forgets those whose retries have lapsed. Locked.
func (r *Reserve[K]) makeRoom(now time.Time) {
	for key, own := range r.byKey {
		if now.Sub(own.at) > budgetWindow {
			delete(r.byKey, key)
		}
	}
}
