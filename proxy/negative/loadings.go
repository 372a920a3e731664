package negative

import (
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/proxy/response"
)

// maxLoadings bounds the models of one upstream that are known to be loading, and loadingBytes
// what their answers take; callers choose their names. A model is remembered for loadedTime
// after it was.
const (
	maxLoadings  = 256
	loadingBytes = 1 << 20
	loadedTime   = 2 * time.Minute
)

// Loadings are one upstream's models that are being made ready, by the names under which
// limits are kept. The zero value has none. Safe for concurrent use.
type Loadings struct {
	Any     atomic.Bool // the fast path: there has never been one
	mu      sync.Mutex
	byModel map[string]*loadingModel
}

type loadingModel struct {
	policy.Loading
	answer *response.Buffered // the latest that said so
	over   chan struct{}      // closed when the model answers
	told   time.Time
}

// Say takes in an answer that says that a model is loading, and returns when the one who was
// told may ask again.
func (l *Loadings) Say(now time.Time, model string, estimate time.Duration, answer *response.Buffered, rand float64) time.Time {
	l.Any.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.byModel[model]
	if m == nil {
		l.makeRoom()
		m = &loadingModel{over: make(chan struct{})}
		l.byModel[model] = m
	}
	m.told = now
	if answer != nil {
		m.answer = answer
	}
	return m.Told(now, estimate, rand)
}

// makeRoom forgets the model that was told of longest ago, if there are too many, or their
// answers take too much. Locked.
func (l *Loadings) makeRoom() {
	if l.byModel == nil {
		l.byModel = map[string]*loadingModel{}
	}
	size := 0
	for _, m := range l.byModel {
		size += m.answer.Size()
	}
	if len(l.byModel) < maxLoadings && size < loadingBytes {
		return
	}
	oldest := ""
	for name, m := range l.byModel {
		if oldest == "" || m.told.Before(l.byModel[oldest].told) {
			oldest = name
		}
	}
	delete(l.byModel, oldest)
}

// Tidy forgets models that nobody was told of for long, and reports whether any is left.
func (l *Loadings) Tidy(now time.Time) bool {
	if !l.Any.Load() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, m := range l.byModel {
		if !m.Lasts(now) && now.Sub(m.told) >= loadedTime {
			delete(l.byModel, name)
		}
	}
	return len(l.byModel) > 0
}

// Turn returns how long a request for a model is to wait, and what ends the wait sooner.
func (l *Loadings) Turn(now time.Time, model string, own time.Time, rand float64) (time.Duration, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.byModel[model]
	if m == nil {
		return own.Sub(now), nil
	}
	return m.Turn(now, own, rand), m.over
}

// Ready says that a model answered.
func (l *Loadings) Ready(now time.Time, model string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.byModel[model]; m != nil && m.Answered(now) {
		m.answer = nil
		close(m.over)
		m.over = make(chan struct{})
	}
}

// Latest returns the last answer that said that a model is loading, nil if it is not.
func (l *Loadings) Latest(now time.Time, model string) *response.Buffered {
	if !l.Any.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.byModel[model]; m != nil && m.Lasts(now) {
		return m.answer
	}
	return nil
}
