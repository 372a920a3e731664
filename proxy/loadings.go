package proxy

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// maxLoadings bounds the models of one upstream that are known to be loading, and loadingBytes
// what their answers take; callers choose their names. A model is remembered for loadedTime
// after it was.
const (
	maxLoadings  = 256
	loadingBytes = 1 << 20
	loadedTime   = 2 * time.Minute
)

// loadings are one upstream's models that are being made ready, by the names under which
// limits are kept. The zero value has none. Safe for concurrent use.
type loadings struct {
	any     atomic.Bool // the fast path: there has never been one
	mu      sync.Mutex
	byModel map[string]*loadingModel
}

type loadingModel struct {
	policy.Loading
	answer *saved        // the latest that said so
	over   chan struct{} // closed when the model answers
	told   time.Time
}

// say takes in an answer that says that a model is loading, and returns when the one who was
// told may ask again.
func (l *loadings) say(now time.Time, model string, estimate time.Duration, answer *saved, rand float64) time.Time {
	l.any.Store(true)
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
func (l *loadings) makeRoom() {
	if l.byModel == nil {
		l.byModel = map[string]*loadingModel{}
	}
	size := 0
	for _, m := range l.byModel {
		size += m.answer.size()
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

// tidy forgets models that nobody was told of for long, and reports whether any is left.
func (l *loadings) tidy(now time.Time) bool {
	if !l.any.Load() {
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

// turn returns how long a request for a model is to wait, and what ends the wait sooner.
func (l *loadings) turn(now time.Time, model string, own time.Time, rand float64) (time.Duration, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.byModel[model]
	if m == nil {
		return own.Sub(now), nil
	}
	return m.Turn(now, own, rand), m.over
}

// ready says that a model answered.
func (l *loadings) ready(now time.Time, model string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.byModel[model]; m != nil && m.Answered(now) {
		m.answer = nil
		close(m.over)
		m.over = make(chan struct{})
	}
}

// latest returns the last answer that said that a model is loading, nil if it is not.
func (l *loadings) latest(now time.Time, model string) *saved {
	if !l.any.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.byModel[model]; m != nil && m.Lasts(now) {
		return m.answer
	}
	return nil
}

// learnLoading takes in what an attempt tells of the model's being ready.
func (x *Run) learnLoading(a *attempt, now time.Time) {
	switch {
	case a.verdict.Outcome == classify.OutcomeLoading:
		x.setbacks.loading = x.up.loadings.say(now, x.model, a.verdict.Wait, x.remember(a), x.random())
	case a.resp != nil && a.verdict.Outcome == classify.OutcomeOK && x.up.loadings.any.Load():
		x.up.loadings.ready(now, x.model)
	}
}

// awaitModel waits while the request's model is loading, except for the one that asks
// whether it still is.
func (x *Run) awaitModel() error {
	if !x.up.loadings.any.Load() {
		return nil
	}
	start := time.Now()
	for now := start; ; now = time.Now() {
		wait, over := x.up.loadings.turn(now, x.model, x.setbacks.loading, x.random())
		if wait <= 0 {
			if now.After(start) {
				x.record.queue += x.waited(SpanQueue, QueueModel, start)
			}
			return nil
		}
		if x.goOn(policy.FailoverOverloaded) {
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-over:
			timer.Stop()
		case <-x.ctx.Done():
			timer.Stop()
			x.record.queue += x.waited(SpanQueue, QueueModel, start)
			return context.Cause(x.ctx)
		}
	}
}
