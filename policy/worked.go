package policy

import (
	"container/list"
	"sync"
	"time"
)

// workedTime is for how long a success speaks for its credential.
const workedTime = 5 * time.Minute

// Worked remembers which credentials worked lately: a refusal of one of those is
// confirmed before it is believed, since gateways and their caches refuse good keys now and
// then. Keys are up to callers, so it is bounded: at the bound, the one that worked
// longest ago is forgotten. Safe for concurrent use; made by NewWorked.
type Worked[K comparable] struct {
	limit int

	mu     sync.Mutex
	byKey  map[K]*list.Element
	recent list.List // of *worked[K], the latest success in front
}

type worked[K comparable] struct {
	key     K
	at      time.Time
	doubted bool // refused since, and not confirmed
}

// NewWorked returns an empty memory of at most limit keys; a limit under 1 is 1.
func NewWorked[K comparable](limit int) *Worked[K] {
	return &Worked[K]{limit: max(limit, 1), byKey: map[K]*list.Element{}}
}

// Succeeded notes a success with key.
func (w *Worked[K]) Succeeded(now time.Time, key K) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.byKey[key]; e != nil {
		known := e.Value.(*worked[K])
		known.at, known.doubted = now, false
		w.recent.MoveToFront(e)
		return
	}
	if w.recent.Len() >= w.limit {
		w.forget(w.recent.Back())
	}
	w.byKey[key] = w.recent.PushFront(&worked[K]{key: key, at: now})
}

// Doubt takes in a refusal of key, and reports whether the key worked lately and whether it was
// refused before since then.
func (w *Worked[K]) Doubt(now time.Time, key K) (lately, before bool) { //nolint:nonamedreturns // the names tell them apart
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.byKey[key]
	if e == nil || now.Sub(e.Value.(*worked[K]).at) > workedTime {
		return false, false
	}
	known := e.Value.(*worked[K])
	before, known.doubted = known.doubted, true
	return true, before
}

// Since reports whether key worked after t.
func (w *Worked[K]) Since(t time.Time, key K) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.byKey[key]
	return e != nil && e.Value.(*worked[K]).at.After(t)
}

// Forget says that the refusal of key was confirmed.
func (w *Worked[K]) Forget(key K) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.byKey[key]; e != nil {
		w.forget(e)
	}
}

// Tidy forgets the successes that speak for nothing any more, and reports whether any is left.
func (w *Worked[K]) Tidy(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := w.recent.Back(); e != nil && now.Sub(e.Value.(*worked[K]).at) > workedTime; e = w.recent.Back() {
		w.forget(e)
	}
	return w.recent.Len() > 0
}

// forget drops an entry. Locked.
func (w *Worked[K]) forget(e *list.Element) {
	delete(w.byKey, e.Value.(*worked[K]).key)
	w.recent.Remove(e)
}
