package memory

import (
	"outrigger/proxy/idempotency/store/quota"
)

// evictable is what can be evicted, by owner.
type evictable struct{ quota.Usage[uses] }

// uses are one owner's entries, the least recently used first: [0] computes, [1] creates.
type uses [2]queue

// add enters an entry as the most recently used.
func (s *evictable) add(e *entry) {
	s.Grow(e.call.Owner, e.cost()).Kept[e.list()].push(byUse, e)
}

// remove takes an entry out. It must come before the cost changes.
func (s *evictable) remove(e *entry) {
	s.Of(e.call.Owner).Kept[e.list()].pull(byUse, e)
	s.Grow(e.call.Owner, -e.cost())
}

// touch notes that an entry was used.
func (s *evictable) touch(e *entry) {
	list := &s.Of(e.call.Owner).Kept[e.list()]
	list.pull(byUse, e)
	list.push(byUse, e)
}

// first returns the entry to evict first, nil if there is none: of the owner that has most,
// the least recently used, computes before creates.
func (s *evictable) first() *entry {
	most := s.Largest()
	if most == nil {
		return nil
	}
	if computes := most.Kept[0].first; computes != nil {
		return computes
	}
	return most.Kept[1].first
}
