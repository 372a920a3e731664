package limit

import "time"

const (
	// firstGap is the least wait after the first refusal of all, when the estimate
	// is a guess.
	firstGap = 200 * time.Millisecond
	// shortGap and shortSteps: about a second is spent in short steps, since many
	// upstreams give out their limit by the second.
	shortGap   = 400 * time.Millisecond
	shortSteps = 2
	gapGrowth  = 3
	longestGap = 30 * time.Second
)

// backoff returns how long to wait after so many refusals in a row since the first,
// which waited gap.
func backoff(gap time.Duration, misses int) time.Duration {
	steps := 0
	for range misses {
		switch {
		case gap*gapGrowth < shortGap:
			gap *= gapGrowth
		case gap < shortGap:
			gap = shortGap
			steps++
		case steps < shortSteps:
			steps++
		default:
			gap = min(gap*gapGrowth, longestGap)
		}
		if gap >= longestGap {
			break
		}
	}
	return min(gap, longestGap)
}
