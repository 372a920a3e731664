package sim

import (
	"slices"
	"sync"
)

// maxObjects bounds the batches and the responses that are kept.
const maxObjects = 10_000

// maxMetadata bounds the metadata of an object: 16 keys of 64 and values of 512
// characters (OpenAI's reference), with room for the JSON.
const maxMetadata = 16 << 10

var errMetadata = invalid("metadata", "Invalid 'metadata': too long.")

// store keeps objects by id, the oldest go first. It is safe for concurrent use;
// the objects are not: change them under update.
type store[T any] struct {
	mu    sync.Mutex
	max   int
	byID  map[string]T
	order []string // oldest first; may name objects that were deleted
}

func newStore[T any](most int) *store[T] {
	return &store[T]{max: most, byID: map[string]T{}}
}

// clear forgets everything.
func (s *store[T]) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID, s.order = map[string]T{}, nil
}

// add keeps v and returns what had to go for it, if anything had to.
func (s *store[T]) add(id string, v T) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[id] = v
	s.order = append(s.order, id)
	if len(s.byID) <= s.max {
		var none T
		return none, false
	}
	return s.oldest()
}

// oldest removes the oldest object and returns it, if there is one. The caller holds the lock.
func (s *store[T]) oldest() (T, bool) {
	var gone T
	found := false
	for !found && len(s.order) > 0 {
		gone, found = s.byID[s.order[0]]
		delete(s.byID, s.order[0])
		s.order = s.order[1:]
	}
	return gone, found
}

func (s *store[T]) find(id string) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.byID[id]
	return v, ok
}

// update runs f on the object under the lock and reports whether there is one.
func (s *store[T]) update(id string, f func(T)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.byID[id]
	if ok {
		f(v)
	}
	return ok
}

// remove deletes the object and reports whether there was one.
func (s *store[T]) remove(id string) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.byID[id]
	delete(s.byID, id)
	if len(s.order) > 2*len(s.byID)+64 {
		s.order = slices.DeleteFunc(s.order, func(id string) bool {
			_, kept := s.byID[id]
			return !kept
		})
	}
	return v, ok
}

// page is one page of a list.
type page[T any] struct {
	items       []T
	first, last string // ids
	more        bool
}

// list returns up to limit objects that keep accepts, newest first, from the one
// after the id after.
func (s *store[T]) list(after string, limit int, keep func(T) bool) page[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := page[T]{items: []T{}}
	skipping := after != ""
	for _, id := range slices.Backward(s.order) {
		v, ok := s.byID[id]
		switch {
		case !ok || !keep(v):
		case skipping:
			skipping = id != after
		case len(p.items) == limit:
			p.more = true
			return p
		default:
			if p.first == "" {
				p.first = id
			}
			p.last = id
			p.items = append(p.items, v)
		}
	}
	return p
}
