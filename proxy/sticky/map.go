package sticky

import (
	"container/heap"
	"hash/maphash"
	"sync"
	"time"
)

// Owner is on whose word an id is remembered: a credential, in any form.
type Owner [16]byte

// Bytes is what a Map takes at most where memory is not scarcer: some 80,000 ids.
const Bytes = 8 << 20

// What an id takes in all, and beside it the share of a credential, measured
// (TestAFullMapTakesWhatIsSaid).
const (
	entryBytes = 100
	shareBytes = 240
)

// How long an id is remembered that nobody asks for. A batch is done within a day, and then
// its files are asked for; what was asked for once may be for as long as OpenAI keeps
// responses (platform.openai.com, "Your data": 30 days).
const (
	idleUnused = 48 * time.Hour
	idleUsed   = 30 * 24 * time.Hour
	sweepEvery = time.Hour
)

// Map remembers where objects live. Ids are kept as hashes of 64 bits, so an entry has a
// fixed size. Each credential has a share of its own: at the bound, the one with the
// largest gives way, so that no flood of one makes another's forgotten. Make it with New.
// It is safe for concurrent use.
type Map struct {
	seed maphash.Seed
	most int64 // bytes

	mu     sync.Mutex
	at     map[uint64]*entry
	shares map[Owner]*share
	bySize sizes
	swept  time.Time
	peak   int // ids since at was made
}

// New returns an empty Map that takes so many bytes at most, and has room for one id.
func New(bytes int64) *Map {
	return &Map{
		seed: maphash.MakeSeed(), most: max(bytes, entryBytes+shareBytes),
		at: map[uint64]*entry{}, shares: map[Owner]*share{}, swept: time.Now(),
	}
}

// put remembers, on owner's word, that the id with this hash lives at home. One that is
// known on another's word stays: owner's is then for itself alone.
func (m *Map) put(owner Owner, k Kind, key uint64, home int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.sweep(now)
	if e := m.at[key]; e != nil && e.share.owner != owner {
		key = m.private(owner, key)
	}
	if e := m.at[key]; e != nil {
		e.home = uint16(home)
		e.share.touch(e, now)
		return
	}
	for m.shares[owner] == nil && m.takes()+shareBytes+entryBytes > m.most || m.takes()+entryBytes > m.most {
		m.drop(m.bySize[0].victim())
	}
	s := m.shares[owner]
	if s == nil {
		s = &share{owner: owner}
		m.shares[owner] = s
		heap.Push(&m.bySize, s)
	}
	m.at[key] = s.add(key, class(k, home), home, now)
	m.peak = max(m.peak, len(m.at))
	heap.Fix(&m.bySize, s.index)
}

// takes is how many bytes are taken. Locked.
func (m *Map) takes() int64 { return int64(len(m.at))*entryBytes + int64(len(m.shares))*shareBytes }

// private is the hash of an id that another made known before.
func (m *Map) private(owner Owner, key uint64) uint64 {
	return maphash.Comparable(m.seed, struct {
		owner Owner
		key   uint64
	}{owner, key})
}

// find returns where the id with this hash lives: on the word of one of the owners, or of
// anybody.
func (m *Map) find(owners []Owner, key uint64) (int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.sweep(now)
	e := m.at[key]
	for _, owner := range owners {
		if e != nil && e.share.owner == owner {
			break
		}
		if own := m.at[m.private(owner, key)]; own != nil {
			e = own
			break
		}
	}
	if e == nil {
		return 0, false
	}
	e.asked = true
	e.share.touch(e, now)
	return int(e.home), true
}

// drop forgets an id. Locked.
func (m *Map) drop(e *entry) {
	delete(m.at, e.key)
	s := e.share
	s.remove(e)
	if s.size == 0 {
		delete(m.shares, s.owner)
		heap.Remove(&m.bySize, s.index)
		return
	}
	heap.Fix(&m.bySize, s.index)
}

// sweep forgets, once in sweepEvery, what nobody asked for in a long time. Locked.
func (m *Map) sweep(now time.Time) {
	if now.Sub(m.swept) < sweepEvery {
		return
	}
	m.swept = now
	for _, e := range m.at {
		if e.idle(now) {
			m.drop(e)
		}
	}
	if len(m.at) < m.peak/4 { // a map keeps the room that it once had
		smaller := make(map[uint64]*entry, len(m.at))
		for key, e := range m.at {
			smaller[key] = e
		}
		m.at, m.peak = smaller, len(m.at)
	}
}

// Len returns how many ids are remembered.
func (m *Map) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.at)
}

// sizes has the shares, the largest first.
type sizes []*share

func (s sizes) Len() int           { return len(s) }
func (s sizes) Less(i, j int) bool { return s[i].size > s[j].size }
func (s sizes) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

func (s *sizes) Push(x any) {
	x.(*share).index = len(*s)
	*s = append(*s, x.(*share))
}

func (s *sizes) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
