package admission

import (
	"sync"
	"time"

	"outrigger/policy/concurrency"
)

// AnswerKind tells calls apart whose answers begin after different times.
type AnswerKind struct {
	Endpoint string
	Stream   bool
}

// answerTimes are how long the answers of one credential and model take to begin, by what is
// asked. The zero value knows none. Safe for concurrent use.
type answerTimes struct {
	mu     sync.Mutex
	byKind map[AnswerKind]*concurrency.Mean // endpoints are those of a table
}

// Add takes in a sample.
func (t *answerTimes) Add(k AnswerKind, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.byKind[k]
	if m == nil {
		if t.byKind == nil {
			t.byKind = map[AnswerKind]*concurrency.Mean{}
		}
		m = new(concurrency.Mean)
		t.byKind[k] = m
	}
	m.Add(d)
}

// Of returns the mean, or false while too few were seen.
func (t *answerTimes) Of(k AnswerKind) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.byKind[k]; m != nil {
		return m.Value()
	}
	return 0, false
}
