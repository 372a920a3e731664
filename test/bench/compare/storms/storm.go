package storms

import (
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
)

// kind is what a call does.
type kind uint8

const (
	chat kind = iota
	stream
	embedding
	upload
)

// call is one call of the app.
type call struct {
	at     time.Duration // after the storm's start
	kind   kind
	tokens int64 // the most that the answer may have, 0: not said
}

// Storm is an upstream in trouble, and what is asked of it.
type Storm struct {
	Name  string // of the table's row
	About string // one sentence

	upstream sim.Config
	faults   []fault.Rule // in force from the start of the calls
	outage   sim.Outage   // begins at away
	away     time.Duration
	calls    []call
	counts   func(kind) bool // whose success is told; nil: all
	timeout  time.Duration   // of one attempt, for each peer that has such a setting
	best     Best
}

// Best returns the best that anybody could do in the storm.
func (s *Storm) Best() Best { return s.best }

// Best is what nobody can do better.
type Best struct {
	Success  float64 `json:"success"`  // share of the calls, in percent
	Makespan float64 `json:"makespan"` // seconds until the last answer
	Calls    float64 `json:"calls"`    // upstream calls per request
}

// longest is when a storm is ended: calls that are under way then count as failed.
const longest = 35 * time.Second

// usual is the timeout of an attempt where the storm is not about it.
const usual = 30 * time.Second

// burst is n calls at once.
func burst(n int, c call) []call {
	all := make([]call, n)
	for i := range all {
		all[i] = c
	}
	return all
}

// steady is a number of calls per second, from one time to another.
func steady(perSecond int, from, to time.Duration, c call) []call {
	var all []call
	for c.at = from; c.at < to; c.at += time.Second / time.Duration(perSecond) {
		all = append(all, c)
	}
	return all
}
