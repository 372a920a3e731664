package api

import (
	"net/http"
	"slices"
	"strconv"
	"sync"

	"outrigger/internal/sim/reply"
)

// maxObjects bounds the batches and the responses that are kept.
const maxObjects = 10_000

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

// size is the number of objects that are kept.
func (s *store[T]) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
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

// List returns up to limit objects that keep accepts, newest first, from the one
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

// listing answers a list endpoint: ?after=ID&limit=N, newest first.
func listing[T, U any](c *Request, s *store[T], keep func(T) bool, show func(T) U) (Work, *reply.Error) {
	limit := 20
	if text := c.r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			return nil, reply.Invalid("limit", "Invalid 'limit': expected an integer between 1 and 10000.")
		}
		limit = n
	}
	return func() reply.Answer {
		p := s.list(c.r.URL.Query().Get("after"), limit, keep)
		data := make([]U, 0, len(p.items))
		for _, v := range p.items {
			data = append(data, show(v))
		}
		return reply.JSON(http.StatusOK, reply.Object{
			"object", "list", "data", data, "has_more", p.more,
			"first_id", reply.Optional(p.first), "last_id", reply.Optional(p.last),
		})
	}, nil
}
