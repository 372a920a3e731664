package shared

import (
	"math"
	"math/bits"
	"time"
)

// The order in which requests arrive is not known for those that were sent within
// a part of the round trip from each other.
const (
	orderShare = 4
	orderLeast = 2 * time.Millisecond
	orderMost  = 20 * time.Millisecond
	// pendingLeast is how long there may be no word of a request that was refused.
	pendingLeast = 50 * time.Millisecond
)

// expected is the range in which a level must lie, and how many requests were charged.
type expected struct {
	low, high   float64
	least, most int
}

// holds reports whether a level that was told fits.
func (e expected) holds(level float64) bool { return e.low <= level && level <= e.high }

// blur is how far apart two requests must be for their order to be known.
func (s *Registry) blur() time.Duration {
	return min(max(s.fastest/orderShare, orderLeast), orderMost)
}

// expect returns what the answer to a request must tell if a set uses the account alone, by
// what an earlier answer told. counted says whether refusals are charged. The second
// result is false if too much has been forgotten.
func (s *Registry) expect(t time.Duration, from, to observation, set uint64, k kind, a *series, counted bool) (expected, bool) {
	blur := s.blur()
	size := math.Inf(1)
	e := expected{low: from.level, high: from.level + 1} // what is told is rounded down
	if k == kindHeader {
		size = a.limit
	} else {
		e.low-- // and a wait is for whole requests
	}
	var next [maxMembers]uint64
	for rest := set; rest != 0; rest &= rest - 1 {
		m := s.watched[bits.TrailingZeros64(rest)]
		var whole bool
		if next[m.slot], whole = m.log.from(from.at - blur); !whole {
			return e, false
		}
	}
	at := from.at
	for {
		var c *sendEntry
		var id uint64
		var slot int
		for rest := set; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros64(rest)
			if x := s.watched[i].log.get(next[i]); x != nil && (c == nil || x.at < c.at) {
				c, id, slot = x, next[i], i
			}
		}
		if c == nil || c.at > to.at+blur {
			break
		}
		next[slot]++
		least, most := c.charge(t, max(4*s.fastest, pendingLeast), counted)
		switch {
		case slot == from.slot && id == from.id && k == kindHeader, slot == to.slot && id == to.id && k == kindText:
			continue // in the level that was told, or not yet
		case slot == to.slot && id == to.id, slot == from.slot && id == from.id:
		case c.at <= from.at+blur, c.at > to.at-blur:
			least = 0
		}
		if d := a.rate * (c.at - at).Seconds(); d > 0 {
			e.low, e.high = min(size, e.low+d), min(size, e.high+d)
			at = c.at
		}
		e.low, e.high = e.low-most, e.high-least
		e.least, e.most = e.least+int(least), e.most+int(most)
	}
	if d := a.rate * (to.at - at).Seconds(); d > 0 {
		e.low, e.high = min(size, e.low+d), min(size, e.high+d)
	}
	slack := a.rate * blur.Seconds()
	return expected{e.low - 1 - slack, e.high + slack, e.least, e.most}, true
}

// charge is the least and the most that a request may have cost.
func (c *sendEntry) charge(t, pending time.Duration, counted bool) (float64, float64) {
	switch {
	case counted || c.state == sendAccepted:
		return 1, 1
	case c.state == sendRefused:
		return 0, 0
	case t-c.at < pending:
		return 0, 1
	}
	return 1, 1
}
