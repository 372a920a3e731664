package quota

import (
	"fmt"

	"outrigger/proxy/idempotency/claims"
)

const (
	// Overhead is what an entry counts for besides its answer, in bytes: about twice
	// what it takes, so that a bound in bytes is one of entries too.
	Overhead = 1 << 10
	// Marker is what a marker counts for, in bytes: about what it takes. A marker is
	// what is known of a create without an answer: hashes, times and a status.
	Marker = 384
	// MarkerShare is the part of a store's bytes that is for markers only: a quarter,
	// 43,690 of them in 64 MiB.
	MarkerShare = 4
)

// errMarkers is why a create is refused.
var errMarkers = fmt.Errorf("%w: too many creates have an unknown outcome; the places left are for other callers", claims.ErrFull)

// Markers counts, for each owner, the creates that run and those whose outcome is unknown.
// Each create reserves a marker before it is begun. One owner may have as many as are left
// beside its own: no owner has all, and an owner that is alone has half. It is not safe for
// concurrent use.
type Markers struct {
	most   int64
	all    int64
	owners map[claims.Owner]int64
}

// NewMarkers returns the Markers of a store of so many bytes.
func NewMarkers(bytes int64) Markers {
	return Markers{most: bytes / MarkerShare / Marker, owners: make(map[claims.Owner]int64)}
}

// Reserve takes a marker for an owner's create. ErrFull where none is left for it.
func (m *Markers) Reserve(owner claims.Owner) error {
	if own := m.owners[owner]; own+m.all+2 > m.most {
		return errMarkers
	}
	m.Add(owner, 1)
	return nil
}

// Add adds n markers to an owner, or takes them away.
func (m *Markers) Add(owner claims.Owner, n int64) {
	m.all += n
	if m.owners[owner] += n; m.owners[owner] == 0 {
		delete(m.owners, owner)
	}
}

// All returns how many there are, of all owners.
func (m *Markers) All() int64 { return m.all }

// Most returns how many there may be.
func (m *Markers) Most() int64 { return m.most }

// Left returns how many bytes of their part markers leave. Creates whose answers were evicted
// are kept in them.
func (m *Markers) Left() int64 { return max(m.most-m.all, 0) * Marker }
