package shared

import "time"

// logSize is how many of a limiter's last requests are remembered: at 20 per second,
// those of 12 s.
const logSize = 256

// sendState is what became of a request that was sent.
type sendState uint8

const (
	sendPending sendState = iota
	sendAccepted
	sendRefused
)

// sendEntry is one request.
type sendEntry struct {
	at    time.Duration
	state sendState
}

// sendLog remembers the last requests of a limiter, in the order in which they were
// sent, numbered from 1. The zero value is empty.
type sendLog struct {
	last  uint64 // number of the newest, 0 for none
	sends [logSize]sendEntry
}

func (g *sendLog) add(t time.Duration) uint64 {
	g.last++
	g.sends[g.last%logSize] = sendEntry{at: t}
	return g.last
}

// get returns the request with a number, nil if it is not remembered.
func (g *sendLog) get(id uint64) *sendEntry {
	if id == 0 || id > g.last || id+logSize <= g.last {
		return nil
	}
	return &g.sends[id%logSize]
}

// first is the number of the oldest that is remembered.
func (g *sendLog) first() uint64 {
	if g.last < logSize {
		return 1
	}
	return g.last - logSize + 1
}

// from returns the number of the first that was sent at t or later, and whether all
// that were are remembered.
func (g *sendLog) from(t time.Duration) (uint64, bool) {
	low, high := g.first(), g.last+1
	whole := low == 1 || g.get(low).at < t
	for low < high {
		mid := low + (high-low)/2
		if g.get(mid).at < t {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, whole
}
