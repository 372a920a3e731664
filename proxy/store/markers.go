package store

import "fmt"

// A marker is what is left of a create that may have been done and whose answer is not
// there: hashes, times and a status. Until its TTL ends it gives way to nothing, since
// then the create could be done twice; so each create reserves the place of one before it
// is begun, and is refused, with ErrFull, where there is none.
//
// marker is what one counts for in bytes, about what it takes. Markers have a
// markerShare-th part of Config.Bytes to themselves: 43,690 of them in 64 MiB.
const (
	marker      = 384
	markerShare = 4
)

// errMarkers is why a create is refused.
var errMarkers = fmt.Errorf("%w: of too many creates it is not known whether they were done; what is left is for other callers", ErrFull)

// markers counts, for each owner, the creates that run and those that may have been done.
// One owner may have as many as are left beside its own: so none has all, and alone one
// has a half. It is not safe for concurrent use.
type markers struct {
	most   int64
	all    int64
	owners map[Owner]int64
}

func newMarkers(c Config) markers {
	return markers{most: int64(c.Bytes) / markerShare / marker, owners: make(map[Owner]int64)}
}

// reserve takes a place for an owner's create, if there is one for it.
func (m *markers) reserve(owner Owner) error {
	if own := m.owners[owner]; own+m.all+2 > m.most {
		return errMarkers
	}
	m.add(owner, 1)
	return nil
}

// add counts n more of an owner, or fewer.
func (m *markers) add(owner Owner, n int64) {
	m.all += n
	if m.owners[owner] += n; m.owners[owner] == 0 {
		delete(m.owners, owner)
	}
}

// left is how many bytes markers leave of their part. What is left of creates that were
// answered, and whose answers made room, is kept in it.
func (m *markers) left() int64 { return max(m.most-m.all, 0) * marker }
