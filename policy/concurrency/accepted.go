package concurrency

import "time"

const (
	// acceptedTick and acceptedTicks make the window of a minute in which accepted calls
	// are counted.
	acceptedTick  = 5 * time.Second
	acceptedTicks = 12
	// slowTurns is how many calls each place may have taken in within the minute for a
	// limit of concurrency to be plausible: ten, that is calls of six seconds and more.
	// Where calls are shorter, a limit of the rate explains a bare refusal better.
	slowTurns = 10
	// longLeast and longShare are how long calls must last for that, the latter in times
	// that a refusal takes: of what is under way then, nearly all runs at the upstream.
	longLeast = 100 * time.Millisecond
	longShare = 20
)

// accepted counts the calls of the last minute that ended well. The zero value is ready.
type accepted struct {
	counts [acceptedTicks]int
	ticks  [acceptedTicks]int64 // the tick that each count is of
}

func (a *accepted) add(now time.Time) {
	tick := now.UnixNano() / int64(acceptedTick)
	i := tick % acceptedTicks
	if a.ticks[i] != tick {
		a.ticks[i], a.counts[i] = tick, 0
	}
	a.counts[i]++
}

// slow reports whether few calls ended in the last minute for the number that runs.
func (a *accepted) slow(now time.Time, running int) bool {
	tick, sum := now.UnixNano()/int64(acceptedTick), 0
	for i := range a.counts {
		if tick-a.ticks[i] < acceptedTicks {
			sum += a.counts[i]
		}
	}
	return sum <= slowTurns*running
}
