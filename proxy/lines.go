package proxy

import (
	"sync"
	"time"

	"outrigger/policy/limit"
)

// maxLines bounds the limiters of one upstream: callers choose both halves of
// the key. At the bound the idle ones go; were none idle, all further keys
// would share one limiter until some are.
const maxLines = 10_000

// lineKey is what providers keep one rate limit for: an account and a model.
type lineKey struct {
	credential credential
	model      string
}

// lines are the limiters of one upstream, made on first use. Safe for concurrent use.
type lines struct {
	settings limit.Settings
	mu       sync.RWMutex
	byKey    map[lineKey]*line
}

func newLines(s limit.Settings) *lines {
	return &lines{settings: s, byKey: map[lineKey]*line{}}
}

// of returns the line of key.
func (ls *lines) of(key lineKey, now time.Time) *line {
	ls.mu.RLock()
	ln := ls.byKey[key]
	ls.mu.RUnlock()
	if ln != nil {
		return ln
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ln = ls.byKey[key]; ln != nil {
		return ln
	}
	if len(ls.byKey) >= maxLines {
		ls.dropIdle(now)
	}
	if len(ls.byKey) >= maxLines {
		key = lineKey{}
		if ln = ls.byKey[key]; ln != nil {
			return ln
		}
	}
	ln = newLine(ls.settings, now)
	ls.byKey[key] = ln
	return ln
}

func (ls *lines) dropIdle(now time.Time) {
	for key, ln := range ls.byKey {
		ln.mu.Lock()
		if ln.limiter.Idle(now) {
			delete(ls.byKey, key)
		}
		ln.mu.Unlock()
	}
}

// each calls f with a snapshot of every limiter.
func (ls *lines) each(now time.Time, f func(lineKey, limit.Snapshot)) {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	for key, ln := range ls.byKey {
		ln.mu.Lock()
		s := ln.limiter.Snapshot(now)
		ln.mu.Unlock()
		f(key, s)
	}
}
