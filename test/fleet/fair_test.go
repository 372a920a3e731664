package fleet

import (
	"slices"
	"testing"
	"time"

	"outrigger/internal/sim/meter"
	"outrigger/internal/sim/oracle"
)

// fair returns when each queue is done if those that still wait share a rate per second
// evenly. What the upstream lets through at once at the start is not counted: nobody
// knows of it.
func fair(rate float64, queues ...int) []time.Duration {
	done := make([]time.Duration, len(queues))
	sorted := slices.Sorted(slices.Values(queues))
	var at float64 // seconds
	level := 0     // what each that still waits has had
	for n, size := range sorted {
		at += float64(size-level) * float64(len(queues)-n) / rate
		level = size
		for i := range queues {
			if queues[i] == size {
				done[i] = time.Duration(at * float64(time.Second))
			}
		}
	}
	return done
}

func TestFair(t *testing.T) {
	got := fair(20, 400, 200, 100, 50, 25, 15, 8, 2)
	if got[0] != 40*time.Second || got[7] != 800*time.Millisecond || got[6] != 2900*time.Millisecond {
		t.Errorf("got %v", got)
	}
}

// optimum is the shortest time in which calls of these costs can be let through from
// start on, with nothing used before.
func optimum(limit meter.Limit, start time.Time, tokens []int) time.Duration {
	o := oracle.New(limit, start)
	var end time.Time
	for _, n := range tokens {
		end = o.Next(start, meter.Cost{Tokens: n})
	}
	return end.Sub(start)
}
