package shared

import "time"

// logSize is how many of a limiter's last requests are remembered: at 20 per second,
// those of 12 s.
const logSize = 256

// state is what became of a request that was sent.
type state uint8

const (
	statePending state = iota
	stateAccepted
	stateRefused
)

// entry is one request.
type entry struct {
	at    time.Duration
	state state
}

// sendLog remembers the last requests of a limiter, in the order in which they were sent,
// numbered from 1. The zero value is empty.
type sendLog struct {
	last uint64 // number of the newest, 0 for none
	ring [logSize]entry
}

func (g *sendLog) add(t time.Duration) uint64 {
	g.last++
	g.ring[g.last%logSize] = entry{at: t}
	return g.last
}

// get returns the request with a number, nil if it is not remembered.
func (g *sendLog) get(id uint64) *entry {
	if id == 0 || id > g.last || id+logSize <= g.last {
		return nil
	}
	return &g.ring[id%logSize]
}

// after returns the number of the first request that was sent after t, and whether all
// that were are remembered.
func (g *sendLog) after(t time.Duration) (uint64, bool) {
	low, high := uint64(1), g.last+1
	if g.last >= logSize {
		low = g.last - logSize + 1
	}
	whole := low == 1 || g.get(low).at <= t
	for low < high {
		mid := low + (high-low)/2
		if g.get(mid).at <= t {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, whole
}

// span is the least and the most that may have been used.
type span struct{ least, most float64 }

// sent returns how many of the requests sent after from and up to to were charged, where
// refusals are charged or not. The order in which requests reach the upstream is not known
// for those within blur of either end, nor what becomes of those sent after recent without an
// answer. The result is false if too much is forgotten.
func (g *sendLog) sent(from, to, blur, recent time.Duration, charged bool) (span, bool) {
	var n span
	id, ok := g.after(from - blur)
	for ; id <= g.last; id++ {
		e := g.get(id)
		if e.at > to+blur {
			break
		}
		if e.state == stateRefused && !charged {
			continue
		}
		n.most++
		if e.at > from+blur && e.at <= to-blur && (charged || e.state != statePending || e.at <= recent) {
			n.least++
		}
	}
	return n, ok
}
