package shadow

import (
	"slices"
	"time"
)

// load is what was seen of how many calls the upstream runs at once. The zero value knows nothing.
type load struct {
	refusal  time.Duration // the longest that a refusal took
	last     *Real         // the last refusal
	ran      [refusals]int // calls that ran when one was refused
	refusals int           // how many were
	most     [2]int        // calls that ran when one was served: the most, in this span and the one before
	turned   time.Time     // when the present span began
}

const (
	// refusals is how many of the last refusals are looked at.
	refusals = 16
	// span is for how long what was served tells how much can be: as long, and up to twice that.
	span = 10 * time.Second
	// fewest is under how many calls nothing is told by how many they are.
	fewest = 3
	// share is how near to the most that ran a refusal must be to be one of too many at once.
	share = 0.75
	// slowRefusal is how long a refusal takes at most that comes at once.
	slowRefusal = 100 * time.Millisecond
)

func (l *load) refused(r *Real, running int) {
	l.ran[l.refusals%refusals] = running
	l.refusals++
	l.refusal, l.last = max(min(r.took, slowRefusal), l.refusal), r
}

// servedAt takes in that so many calls ran when one of them ended well. What was seen stays for as
// long as nothing new is.
func (l *load) servedAt(now time.Time, running int) {
	if now.Sub(l.turned) >= span {
		l.turned = now
		l.most = [2]int{0, l.most[0]}
	}
	l.most[0] = max(l.most[0], running)
}

// places is how many calls run at once before more are refused; false where refusals do not
// depend on that.
func (l *load) places() (int, bool) {
	ran := l.ran
	last := ran[:min(l.refusals, refusals)]
	if len(last) == 0 {
		return 0, false
	}
	slices.Sort(last)
	usual, most := last[len(last)/2], max(l.most[0], l.most[1])
	if usual < fewest || float64(usual) < share*float64(most) {
		return 0, false
	}
	return max(most, min(usual, last[0]+1)), true
}
