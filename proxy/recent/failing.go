package recent

import "time"

// failingWithin is how far back requests count that failed.
const failingWithin = time.Minute

// Failing is how many of the last requests to an upstream failed through no fault of the
// caller's. The zero value is none.
type Failing struct {
	Failed, Of int
	Outcome    string // the most frequent one of those that failed
}

// faults are the outcomes that are neither the caller's own doing nor told elsewhere, as a
// cached refusal and a drain are.
var faults = map[string]bool{
	"interrupted": true, "failed": true, "overloaded": true, "timeout": true, "unreachable": true, "broke": true, "starved": true,
	"rate_limited": true, "slow_down": true, "loading": true, "local_rate_limit": true, "circuit_open": true, "resources_exhausted": true,
	"upstream_timeout": true, "upstream_unreachable": true, "upstream_broke": true, "upstream_ambiguous": true,
}

// Failing returns, by upstream, how many of the last requests failed: of those that are kept and
// ended in the minute before now. A request that reached no upstream is counted under "".
func (r *Recorder) Failing(now time.Time) map[string]Failing {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, outcomes := map[string]Failing{}, map[[2]string]int{}
	for i := range r.ring.last {
		q := &r.ring.last[i].request
		if now.Sub(q.Start)-time.Duration(float64(q.Took)*float64(time.Millisecond)) > failingWithin {
			continue
		}
		f := found[q.Upstream]
		f.Of++
		if faults[q.Outcome] {
			f.Failed++
			key := [2]string{q.Upstream, q.Outcome}
			outcomes[key]++
			if n, most := outcomes[key], outcomes[[2]string{q.Upstream, f.Outcome}]; n > most || f.Outcome == "" || n == most && q.Outcome < f.Outcome {
				f.Outcome = q.Outcome
			}
		}
		found[q.Upstream] = f
	}
	return found
}
