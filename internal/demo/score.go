package demo

import (
	"strings"
	"sync"
	"time"

	"outrigger/internal/sim"
)

// Score is how one side is doing. Safe for concurrent use.
type Score struct {
	Name string
	sim  *sim.Sim

	mu      sync.Mutex
	start   time.Time
	stop    time.Time // zero while calls are running
	last    time.Time // when the last complete answer came
	results [3]int
}

// Count is what a Score says at one moment.
type Count struct {
	Complete, Told, Silent int
	Took                   time.Duration // until the last complete answer
	Elapsed                time.Duration // until all calls had ended, or now
	Calls                  int           // that reached the upstream
	Duplicates             int           // uploads that made more than one file
	Running                bool
}

func (s *Score) begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start = now
}

func (s *Score) end(now time.Time, r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results[r]++
	if r == complete {
		s.last = now
	}
}

func (s *Score) finish(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop = now
}

// Count returns the present state.
func (s *Score) Count(now time.Time) Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Count{
		Complete: s.results[complete], Told: s.results[told], Silent: s.results[silent],
		Calls: int(s.sim.Ledger().Requests()), Duplicates: s.duplicates(),
	}
	if s.start.IsZero() {
		return c
	}
	c.Running = s.stop.IsZero()
	if c.Running {
		c.Elapsed = now.Sub(s.start)
	} else {
		c.Elapsed = s.stop.Sub(s.start)
	}
	if !s.last.IsZero() {
		c.Took = s.last.Sub(s.start)
	}
	return c
}

// duplicates counts the uploads that were carried out more than once. A chat
// that is computed twice costs money and creates nothing.
func (s *Score) duplicates() int {
	n := 0
	for _, d := range s.sim.Duplicates() {
		if len(d.Objects) > 0 && strings.HasPrefix(d.Objects[0], "file-") {
			n++
		}
	}
	return n
}
