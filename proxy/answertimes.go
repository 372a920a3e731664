package proxy

import (
	"sync"
	"time"

	"outrigger/policy/concurrency"
)

// answerKind tells calls apart whose answers begin after different times.
type answerKind struct {
	endpoint string
	stream   bool
}

// answerTimes are how long the answers of one credential and model take to begin, by what is
// asked. The zero value knows none. Safe for concurrent use.
type answerTimes struct {
	mu     sync.Mutex
	byKind map[answerKind]*concurrency.Mean // endpoints are those of a table
}

// add takes in a sample.
func (t *answerTimes) add(k answerKind, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.byKind[k]
	if m == nil {
		if t.byKind == nil {
			t.byKind = map[answerKind]*concurrency.Mean{}
		}
		m = new(concurrency.Mean)
		t.byKind[k] = m
	}
	m.Add(d)
}

// of returns the mean, or false while too few were seen.
func (t *answerTimes) of(k answerKind) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.byKind[k]; m != nil {
		return m.Value()
	}
	return 0, false
}

func (x *Run) answerKind() answerKind { return answerKind{x.endpoint.Name, x.facts.Stream} }
