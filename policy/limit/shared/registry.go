package shared

import (
	"math"
	"math/bits"
	"time"
)

// Registry watches the limiters of one upstream. It is pure and not safe for concurrent
// use: the caller locks.
type Registry struct {
	start   time.Time
	watched [maxMembers]*Member
	sets    map[uint64]*evidence
	fastest time.Duration // the shortest time from sending to an answer
}

// maxMembers bounds how many limiters of an upstream are watched at once. The one that has
// sent nothing for longest, and for restTime at least, makes room.
const (
	maxMembers = 64
	restTime   = 10 * time.Second
)

// Member is what is seen of one limiter. The zero value is one that nobody has seen.
type Member struct {
	// Tag is the caller's: what it needs to find the limiter again.
	Tag    any
	log    *sendLog // nil while it is not watched
	slot   int
	joined uint64 // those that it shares with, itself included; 0 for none
	last   time.Duration
	quota  Quota
	latest reading
}

// Quota is what an answer tells of the limit on requests that it was charged to.
type Quota struct {
	// Owner names whose it is: organization and project, or the account in a refusal's
	// text. "" is not told.
	Owner string
	// Text says that a refusal's text told it: then Level is right but for a constant.
	Text bool
	// Limit is how many there are, and Rate how many come in per second.
	Limit, Rate float64
	// Level is how many are left.
	Level float64
}

// sameLimit is how little two limits may differ to count as the same.
const sameLimit = 0.005

// same reports whether two quotas may be one.
func (q Quota) same(other Quota) bool {
	near := math.Abs(q.Limit-other.Limit) <= sameLimit*q.Limit && math.Abs(q.Rate-other.Rate) <= sameLimit*q.Rate
	return near && q.Text == other.Text && q.Owner == other.Owner
}

// Change is what an answer made certain. The zero value is nothing.
type Change struct {
	// Join are those that are found to share a quota. Part are those that were held to and
	// do not.
	Join, Part []*Member
}

// New returns a Registry that has seen nothing.
func New(now time.Time) *Registry {
	return &Registry{start: now, sets: map[uint64]*evidence{}}
}

// Sent tells that a request of m was written to the wire. The number returned names it in
// Answered. It is 0 when m is not watched.
func (r *Registry) Sent(now time.Time, m *Member) uint64 {
	t := now.Sub(r.start)
	if m.log == nil && !r.watch(t, m) {
		return 0
	}
	m.last = t
	return m.log.add(t)
}

// watch finds a slot for m, and reports whether there is one.
func (r *Registry) watch(t time.Duration, m *Member) bool {
	free := -1
	for i, x := range &r.watched {
		if x == nil {
			free = i
			break
		}
		if x.joined == 0 && t-x.last >= restTime && (free < 0 || x.last < r.watched[free].last) {
			free = i
		}
	}
	if free < 0 {
		return false
	}
	if old := r.watched[free]; old != nil {
		r.Forget(old)
	}
	m.log, m.slot = &sendLog{}, free
	r.watched[free] = m
	return true
}

// Forget drops what is known of m, whose limiter is gone.
func (r *Registry) Forget(m *Member) {
	if m.log == nil {
		return
	}
	r.watched[m.slot] = nil
	r.drop(m.bit())
	for _, x := range r.members(m.joined &^ m.bit()) {
		x.joined &^= m.bit()
		if bits.OnesCount64(x.joined) == 1 {
			x.joined = 0
		}
	}
	*m = Member{Tag: m.Tag}
}

// Sharing lists those that share with m, itself included, always in the same order; none if
// m shares with nobody.
func (r *Registry) Sharing(m *Member) []*Member { return r.members(m.joined) }

func (m *Member) bit() uint64 { return 1 << m.slot }

// unit is m and those that it shares with.
func (m *Member) unit() uint64 { return m.joined | m.bit() }

// members lists those in a set.
func (r *Registry) members(set uint64) []*Member {
	all := make([]*Member, 0, bits.OnesCount64(set))
	for ; set != 0; set &= set - 1 {
		if m := r.watched[bits.TrailingZeros64(set)]; m != nil {
			all = append(all, m)
		}
	}
	return all
}

// drop forgets the evidence about all sets that one of a set belongs to.
func (r *Registry) drop(set uint64) {
	for s := range r.sets {
		if s&set != 0 {
			delete(r.sets, s)
		}
	}
}

// join takes a set for one from now on.
func (r *Registry) join(set uint64) Change {
	all, misses := r.members(set), r.sets[set].misses
	for _, m := range all {
		m.joined = set
	}
	r.drop(set)
	r.sets[set] = &evidence{misses: misses}
	return Change{Join: all}
}

// part takes a set apart. To join it again takes more than before.
func (r *Registry) part(set uint64) Change {
	all, misses := r.members(set), r.sets[set].misses
	for _, m := range all {
		m.joined = 0
	}
	r.drop(set)
	r.sets[set] = &evidence{misses: misses + partedMore}
	return Change{Part: all}
}
