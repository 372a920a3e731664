package sticky

import "time"

// classes are the kinds but Nothing, at the first home and elsewhere, so that a day's files
// are not forgotten for an hour's responses, nor what was made elsewhere while the first
// was down for what the first has made since.
const classes = 4

// class returns where ids of a kind, not Nothing, at a home are kept.
func class(k Kind, home int) uint8 {
	c := 2 * uint8(k-Objects)
	if home > 0 {
		c++
	}
	return c
}

// share is what one credential made known. Not safe for concurrent use.
type share struct {
	owner Owner
	index int // among the shares by size
	size  int
	kept  [classes]list
}

// list has its entries from the most to the least recently used.
type list struct {
	first, last *entry
	size        int
}

// entry is one id.
type entry struct {
	key        uint64
	share      *share
	prev, next *entry
	used       int64 // in Unix seconds
	home       uint16
	class      uint8
	asked      bool // a request referred to it
}

func (e *entry) idle(now time.Time) bool {
	most := idleUnused
	if e.asked {
		most = idleUsed
	}
	return now.Unix()-e.used > int64(most/time.Second)
}

// add returns a new entry. It stays in its class.
func (s *share) add(key uint64, class uint8, home int, now time.Time) *entry {
	e := &entry{key: key, share: s, used: now.Unix(), home: uint16(home), class: class}
	s.size++
	s.kept[class].push(e)
	return e
}

// touch makes e the most recently used one.
func (s *share) touch(e *entry, now time.Time) {
	e.used = now.Unix()
	l := &s.kept[e.class]
	if l.first != e {
		l.take(e)
		l.push(e)
	}
}

func (s *share) remove(e *entry) {
	s.size--
	s.kept[e.class].take(e)
}

// victim returns what gives way: the least recently used of the largest class.
func (s *share) victim() *entry {
	largest := &s.kept[0]
	for c := range s.kept {
		if s.kept[c].size > largest.size {
			largest = &s.kept[c]
		}
	}
	return largest.last
}

func (l *list) push(e *entry) {
	e.prev, e.next = nil, l.first
	if l.first != nil {
		l.first.prev = e
	} else {
		l.last = e
	}
	l.first = e
	l.size++
}

func (l *list) take(e *entry) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		l.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		l.last = e.prev
	}
	l.size--
}
