package policy

import (
	"container/list"
	"sync"
	"time"
)

// TripState is what Trips knows of a key. The zero value is Clear.
type TripState uint8

// The states of a key.
const (
	// Clear: nothing is known against it.
	Clear TripState = iota
	// Tripped: answer from memory.
	Tripped
	// Probe: its cooldown is over, and this caller alone is to try. It must end
	// with Set, Clear or Release; if it never does, another may try after a cooldown.
	Probe
)

// String returns the state in lower case, for logs.
func (s TripState) String() string {
	switch s {
	case Clear:
		return "clear"
	case Tripped:
		return "tripped"
	case Probe:
		return "probe"
	default:
		return "unknown"
	}
}

// Trips remembers dead credentials with the answer that told so, so that an
// upstream is not asked again and again what it has refused: for a cooldown the
// answer comes from memory, then one probe goes through while all others still
// get it. Keys are up to callers, so it is bounded: at the bound, the key that
// was asked for longest ago is forgotten. Safe for concurrent use; made by NewTrips.
type Trips[K comparable, A any] struct {
	cooldown time.Duration
	limit    int
	bounds   TripBounds[K, A]
	size     int        // of all
	sizes    map[K]int  // of each owner's
	gone     func(K, A) // see Gone

	mu     sync.Mutex
	byKey  map[K]*list.Element
	recent list.List // of *trip[K, A], the latest use in front
}

type trip[K comparable, A any] struct {
	key    K
	answer A
	since  time.Time // of the first answer, since when nothing has cleared it
	until  time.Time // Tripped before, a probe's turn from then on
	probe  bool      // until is the lease of a probe that is under way
	used   time.Time // when it was asked for last
	size   int
}

// TripBounds bounds what is remembered by its size.
type TripBounds[K comparable, A any] struct {
	// Most is what all may take, and Each what those of one owner may: at its bound the one
	// that was asked for longest ago is forgotten.
	Most, Each int
	// Size is what one takes.
	Size func(K, A) int
	// Owner is whose a key is, as a key.
	Owner func(K) K
}

// Bound sets bounds. It is to be called before all else.
func (t *Trips[K, A]) Bound(b TripBounds[K, A]) { t.bounds, t.sizes = b, map[K]int{} }

// Gone has f called for each key that is forgotten without Clear: because nobody asks for it, or
// to make room. It is to be set before all else. It is called under a lock: f must not call t.
func (t *Trips[K, A]) Gone(f func(key K, answer A)) { t.gone = f }

// idleTrip is how long after its cooldown a key is remembered that nobody asks for.
const idleTrip = time.Minute

// Tidy forgets keys that nobody asked for in the time of a cooldown and a minute more, and
// reports whether any is left.
func (t *Trips[K, A]) Tidy(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := t.recent.Back(); e != nil; {
		tr := e.Value.(*trip[K, A])
		oldest := e
		e = e.Prev()
		if !now.Before(tr.until) && now.Sub(tr.used) >= t.cooldown+idleTrip {
			t.lose(oldest)
		}
	}
	return t.recent.Len() > 0
}

// count notes what one more or less takes. Locked.
func (t *Trips[K, A]) count(tr *trip[K, A], sign int) {
	if t.sizes == nil {
		return
	}
	owner := t.bounds.Owner(tr.key)
	t.size += sign * tr.size
	if t.sizes[owner] += sign * tr.size; t.sizes[owner] == 0 {
		delete(t.sizes, owner)
	}
}

// forget drops an entry. Locked.
func (t *Trips[K, A]) forget(e *list.Element) {
	tr := e.Value.(*trip[K, A])
	delete(t.byKey, tr.key)
	t.recent.Remove(e)
	t.count(tr, -1)
}

// makeRoom keeps to the bounds, for an owner and for all. Locked.
func (t *Trips[K, A]) makeRoom(key K) {
	if t.sizes != nil {
		owner := t.bounds.Owner(key)
		for e := t.recent.Back(); e != nil && t.sizes[owner] > t.bounds.Each; {
			oldest := e
			e = e.Prev()
			if t.bounds.Owner(oldest.Value.(*trip[K, A]).key) == owner {
				t.lose(oldest)
			}
		}
	}
	for t.recent.Len() > t.limit || t.sizes != nil && t.size > t.bounds.Most {
		t.lose(t.recent.Back())
	}
}

// lose is forget for one that nobody cleared. Locked.
func (t *Trips[K, A]) lose(e *list.Element) {
	t.forget(e)
	if t.gone != nil {
		tr := e.Value.(*trip[K, A])
		t.gone(tr.key, tr.answer)
	}
}

// NewTrips returns an empty memory of at most limit keys; a limit under 1 is 1. A
// cooldown of 0 or less remembers nothing.
func NewTrips[K comparable, A any](cooldown time.Duration, limit int) *Trips[K, A] {
	return &Trips[K, A]{cooldown: cooldown, limit: max(limit, 1), byKey: map[K]*list.Element{}}
}

// Configure puts another cooldown into force, for what is remembered from now on.
func (t *Trips[K, A]) Configure(cooldown time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cooldown = cooldown
}

// Check returns what is known of key, with the answer to give when it is Tripped.
// At Probe the answer is the one remembered so far.
func (t *Trips[K, A]) Check(now time.Time, key K) (A, TripState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byKey[key]
	if e == nil {
		var none A
		return none, Clear
	}
	t.recent.MoveToFront(e)
	tr := e.Value.(*trip[K, A])
	tr.used = now
	if now.Before(tr.until) {
		return tr.answer, Tripped
	}
	tr.until, tr.probe = now.Add(t.cooldown), true
	return tr.answer, Probe
}

// Holds reports whether Check would say Tripped. Unlike Check it makes nobody the probe.
func (t *Trips[K, A]) Holds(now time.Time, key K) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byKey[key]
	return e != nil && now.Before(e.Value.(*trip[K, A]).until)
}

// Set remembers answer against key for a cooldown from now: for a credential that
// was refused, also by a probe. It reports whether nothing was remembered before.
func (t *Trips[K, A]) Set(now time.Time, key K, answer A) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cooldown <= 0 {
		return false
	}
	tr := &trip[K, A]{key: key, answer: answer, since: now, until: now.Add(t.cooldown), used: now}
	if t.sizes != nil {
		tr.size = t.bounds.Size(key, answer)
	}
	e := t.byKey[key]
	if e != nil {
		tr.since = e.Value.(*trip[K, A]).since
		t.forget(e)
	}
	t.byKey[key] = t.recent.PushFront(tr)
	t.count(tr, 1)
	t.makeRoom(key)
	return e == nil
}

// Clear forgets key: for a probe whose answer shows that the credential lives. An
// attempt that began before the trip proves nothing about it and must not clear it. It
// returns what was remembered, if anything was.
func (t *Trips[K, A]) Clear(key K) (A, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byKey[key]
	if e == nil {
		var none A
		return none, false
	}
	t.forget(e)
	return e.Value.(*trip[K, A]).answer, true
}

// Release ends a probe that found out nothing, such as one whose caller left: the
// next one to Check is the probe. Without a probe under way it does nothing.
func (t *Trips[K, A]) Release(now time.Time, key K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byKey[key]; e != nil {
		if tr := e.Value.(*trip[K, A]); tr.probe {
			tr.until, tr.probe = now, false
		}
	}
}

// Each calls f with every key that is remembered, its answer and when the next
// probe may go, the latest used first, until f returns false. It holds a lock: f
// must not call t.
func (t *Trips[K, A]) Each(f func(key K, answer A, until time.Time) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := t.recent.Front(); e != nil; e = e.Next() {
		tr := e.Value.(*trip[K, A])
		if !f(tr.key, tr.answer, tr.until) {
			return
		}
	}
}

// Since returns when key was refused first, of the times since it was last cleared or
// forgotten; the zero time if nothing is known against it.
func (t *Trips[K, A]) Since(key K) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byKey[key]; e != nil {
		return e.Value.(*trip[K, A]).since
	}
	return time.Time{}
}
