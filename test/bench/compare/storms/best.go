package storms

import (
	"slices"
	"time"

	"outrigger/internal/sim/meter"
	"outrigger/internal/sim/oracle"
)

// byRate is the best under a rate limit: see package oracle.
func byRate(limit meter.Limit, calls []call, latency time.Duration) Best {
	start := time.Now()
	o := oracle.New(limit, start)
	var last time.Duration
	for _, c := range calls {
		last = o.Next(start.Add(c.at), meter.Cost{Tokens: int(c.tokens)}).Sub(start)
	}
	return Best{Success: 100, Makespan: (last + latency).Seconds(), Calls: 1}
}

// bySlots is the best where so many calls run at once: each takes the slot that is free first.
func bySlots(slots int, calls []call, latency time.Duration) Best {
	free := make([]time.Duration, slots)
	var last time.Duration
	for _, c := range calls {
		i := slices.Index(free, slices.Min(free))
		free[i] = max(free[i], c.at) + latency
		last = max(last, free[i])
	}
	return Best{Success: 100, Makespan: last.Seconds(), Calls: 1}
}

// byTime is the best where calls fail for a time only: the last is answered right after it
// came, or after the trouble's end.
func byTime(calls []call, end, latency time.Duration) Best {
	return Best{Success: 100, Makespan: (max(end, calls[len(calls)-1].at) + latency).Seconds(), Calls: 1}
}

// byChance is the best where of all attempts a share succeeds, and a share is lost for good:
// the rest is retried until it is one or the other.
func byChance(calls []call, succeeds, lost float64, latency time.Duration) Best {
	ends := succeeds + lost
	return Best{Success: 100 * succeeds / ends, Makespan: (calls[len(calls)-1].at + latency).Seconds(), Calls: 1 / ends}
}
