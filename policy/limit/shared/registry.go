package shared

import (
	"math/bits"
	"time"
)

// Registry finds out which limiters of one upstream draw on one account: those of two
// keys of an organization, or of a model and its snapshot. The same limit proves
// nothing: most keys of a provider have the same one. The proof is the
// arithmetic of what is told: by the level that one answer tells, and what all of them
// have sent since, the level in the next answer is known to the request, whoever it is
// for; and what its own limiter has sent does not explain it.
//
// It is pure and not safe for concurrent use: the caller locks.
type Registry struct {
	start   time.Time
	watched [maxMembers]*Member
	pacts   map[pactKey]*pact
	fastest time.Duration // the shortest time from sending to an answer
}

// maxMembers bounds how many limiters of an upstream are watched at once; the one that
// has sent nothing for longest, and for restTime at least, makes room.
const (
	maxMembers = 64
	restTime   = 10 * time.Second
)

// Member is what is seen of one limiter. The zero value is one that nobody has seen.
type Member struct {
	// Tag is the caller's: what it needs to find the limiter again.
	Tag any

	log    *sendLog // nil while it is not watched
	slot   int
	joined uint64 // those it was found to share with, itself included; 0 for none
	org    string // the organization that its answers name
	last   time.Duration
	series [kinds]series
}

// kind is a way in which levels are told.
type kind uint8

const (
	kindHeader kind = iota // by what remains, in the headers of any answer
	kindText               // by the wait that a refusal's text names
	kinds
)

// series are the levels told in one way. A limit that changes begins a new one.
type series struct {
	limit, rate float64     // of the account, the rate in units per second
	account     string      // how the text names it
	own         observation // by which it is watched whether its own requests explain all
	latest      observation
	suspect     time.Duration // until then others seem to use the account
}

// observation is one level that was told. A text tells it but for a constant.
type observation struct {
	slot  int
	id    uint64        // of the request that brought it
	at    time.Duration // when that was sent
	level float64
}

// New returns one that has seen nothing.
func New(now time.Time) *Registry {
	return &Registry{start: now, pacts: map[pactKey]*pact{}}
}

// Sent tells that a request of m was written to the wire. The number returned names it
// in Answered; it is 0 when m is not watched.
func (s *Registry) Sent(now time.Time, m *Member) uint64 {
	t := now.Sub(s.start)
	if m.log == nil && !s.watch(t, m) {
		return 0
	}
	m.last = t
	return m.log.add(t)
}

// watch finds a place for m, and reports whether there is one.
func (s *Registry) watch(t time.Duration, m *Member) bool {
	free := -1
	for i, x := range &s.watched {
		if x == nil {
			free = i
			break
		}
		if x.joined == 0 && t-x.last >= restTime && (free < 0 || x.last < s.watched[free].last) {
			free = i
		}
	}
	if free < 0 {
		return false
	}
	if old := s.watched[free]; old != nil {
		s.Forget(old)
	}
	m.log, m.slot = &sendLog{}, free
	s.watched[free] = m
	return true
}

// Forget drops what is known of m, whose limiter is gone.
func (s *Registry) Forget(m *Member) {
	if m.log == nil {
		return
	}
	s.watched[m.slot] = nil
	s.dropPacts(m.bit())
	for _, x := range s.members(m.joined &^ m.bit()) {
		x.joined &^= m.bit()
		if bits.OnesCount64(x.joined) == 1 {
			x.joined = 0
		}
	}
	*m = Member{Tag: m.Tag}
}

// Sharing lists those that are known to share with m, itself included, always in the same
// order; none if m shares with nobody.
func (s *Registry) Sharing(m *Member) []*Member { return s.members(m.joined) }

func (m *Member) bit() uint64 { return 1 << m.slot }

// unit is m and those that it is known to share with.
func (m *Member) unit() uint64 { return m.joined | m.bit() }

// members lists those in a set.
func (s *Registry) members(set uint64) []*Member {
	all := make([]*Member, 0, bits.OnesCount64(set))
	for ; set != 0; set &= set - 1 {
		if m := s.watched[bits.TrailingZeros64(set)]; m != nil {
			all = append(all, m)
		}
	}
	return all
}

// dropPacts forgets what is believed of all sets that one of a set belongs to.
func (s *Registry) dropPacts(set uint64) {
	for k := range s.pacts {
		if k.set&set != 0 {
			delete(s.pacts, k)
		}
	}
}
