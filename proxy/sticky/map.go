package sticky

import (
	"hash/maphash"
	"sync"
)

// Entries is how many ids a Map remembers of each class: objects and turns, so that
// a day's files are not forgotten for an hour's responses, and of both those of the
// first home and of all others, so that what was made elsewhere while the first was
// down is not forgotten for what the first has made since.
const Entries = 1 << 15

// classes are the kinds but Nothing, at the first home and elsewhere.
const classes = 4

// Map remembers where objects live. Ids are kept as hashes of 64 bits, so an entry
// has a fixed size, and a Map at its bound takes about 8 MB. Make it with New.
// It is safe for concurrent use.
type Map struct {
	seed maphash.Seed

	mu   sync.Mutex
	kept [classes]lru
}

// New returns an empty Map that remembers as many ids of each class.
func New(entries int) *Map {
	m := &Map{seed: maphash.MakeSeed()}
	for c := range m.kept {
		m.kept[c].most = max(entries, 1)
	}
	return m
}

// class returns where ids of a kind, not Nothing, at a home are kept.
func class(k Kind, home int) int {
	c := 2 * int(k-Objects)
	if home > 0 {
		c++
	}
	return c
}

// put remembers that the id with this hash lives at home. One that is known stays
// in its class.
func (m *Map) put(k Kind, key uint64, home int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.kept {
		if _, ok := m.kept[c].get(key); ok {
			m.kept[c].put(key, home)
			return
		}
	}
	m.kept[class(k, home)].put(key, home)
}

// find returns where the id with this hash lives, whatever its class.
func (m *Map) find(key uint64) (int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.kept {
		if home, ok := m.kept[c].get(key); ok {
			return home, true
		}
	}
	return 0, false
}

// Len returns how many ids are remembered.
func (m *Map) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for c := range m.kept {
		n += len(m.kept[c].at)
	}
	return n
}
