package sticky

// lru is a bounded map from hashed ids to homes. The zero value holds nothing;
// set most. Not safe for concurrent use.
type lru struct {
	most  int
	at    map[uint64]uint32
	slots []slot
	head  uint32 // the most recently used; meaningless while there are no slots
}

// slot is one entry, in a ring from the most to the least recently used.
type slot struct {
	key        uint64
	prev, next uint32
	home       uint16
}

// get returns the home of key and makes it the most recently used.
func (l *lru) get(key uint64) (int, bool) {
	i, ok := l.at[key]
	if !ok {
		return 0, false
	}
	l.touch(i)
	return int(l.slots[i].home), true
}

// put sets the home of key. The least recently used one gives way when there are
// too many.
func (l *lru) put(key uint64, home int) {
	if i, ok := l.at[key]; ok {
		l.slots[i].home = uint16(home)
		l.touch(i)
		return
	}
	if l.at == nil {
		l.at = map[uint64]uint32{}
	}
	if len(l.slots) < l.most {
		l.append(key, home)
		return
	}
	l.head = l.slots[l.head].prev // the last becomes the first: the ring need not change
	s := &l.slots[l.head]
	delete(l.at, s.key)
	s.key, s.home = key, uint16(home)
	l.at[key] = l.head
}

// append adds a slot in front.
func (l *lru) append(key uint64, home int) {
	i := uint32(len(l.slots))
	l.slots = append(l.slots, slot{key: key, home: uint16(home), prev: i, next: i})
	l.at[key] = i
	if i > 0 {
		l.link(i)
	}
	l.head = i
}

// touch moves a slot to the front.
func (l *lru) touch(i uint32) {
	if i == l.head {
		return
	}
	s := l.slots[i]
	l.slots[s.prev].next, l.slots[s.next].prev = s.next, s.prev
	l.link(i)
	l.head = i
}

// link puts a slot that is in no ring before the head.
func (l *lru) link(i uint32) {
	next := l.head
	prev := l.slots[next].prev
	l.slots[i].prev, l.slots[i].next = prev, next
	l.slots[prev].next, l.slots[next].prev = i, i
}
