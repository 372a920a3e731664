package sticky

import (
	"hash/maphash"
	"sync"
)

// Entries is how many ids a Map remembers of each kind, objects and turns: the
// former so that a day's files are not forgotten for an hour's responses.
const Entries = 1 << 16

// Map remembers where objects live. Ids are kept as hashes of 64 bits, so an entry
// has a fixed size, and a Map at its bound takes about 8 MB. Make it with New.
// It is safe for concurrent use.
type Map struct {
	seed maphash.Seed

	mu   sync.Mutex
	kept [Turns + 1]lru
}

// New returns an empty Map that remembers as many ids of each kind.
func New(entries int) *Map {
	m := &Map{seed: maphash.MakeSeed()}
	for k := range m.kept {
		m.kept[k].most = max(entries, 1)
	}
	return m
}

// put remembers that the id with this hash lives at home.
func (m *Map) put(k Kind, key uint64, home int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[k].put(key, home)
}

// find returns where the id with this hash lives, whatever its kind.
func (m *Map) find(key uint64) (int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.kept {
		if home, ok := m.kept[k].get(key); ok {
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
	for k := range m.kept {
		n += len(m.kept[k].at)
	}
	return n
}
