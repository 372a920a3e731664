package limit

import "math/bits"

// What it takes to believe refusals that name no limit, no wait and no reason: so
// many among the last so many answers. A limit that is exceeded refuses several
// of them; an upstream that refuses one in ten at random refuses as many at any
// rate, and to slow down for it would be to slow down for ever.
const (
	doubtWindow = 16
	doubtLeast  = 4
)

// Doubt remembers the last answers of an upstream, to tell bare refusals that mean
// a limit from those that mean nothing. The zero value has seen none. It is not
// safe for concurrent use.
type Doubt struct{ refused uint16 }

// Answered notes an answer that was no refusal.
func (d *Doubt) Answered() { d.refused <<= 1 }

// Refused notes a bare refusal and reports whether there have been enough of them
// to believe it. One that is not believed concerns its own request alone, which
// backs off and comes back.
func (d *Doubt) Refused() bool {
	d.refused = d.refused<<1 | 1
	return bits.OnesCount16(d.refused) >= doubtLeast
}

// Bare reports whether a refusal tells nothing but that it is one.
func (r Refusal) Bare() bool {
	return r.Hint == 0 && r.Limit == 0 && r.Window == 0 && !r.SlowDown && !r.Capacity &&
		len(r.Headers.Readings) == 0 && r.Headers.Reset == 0
}
