package proxy

import (
	"slices"
	"sync"
	"time"

	"outrigger/policy/limit"
)

// maxLines bounds the limiters of one upstream: callers choose both halves of the
// key. At the bound the idle ones go; if none are, of those without a line the
// eighth that was not used for longest. That is looked for once in roomTime, and
// meanwhile further keys share one limiter.
const (
	maxLines = 10_000
	roomTime = time.Second
)

// lineKey is what providers keep one rate limit for: an account and a model.
type lineKey struct {
	credential credential
	model      string
}

// lines are the limiters of one upstream, made on first use. Safe for concurrent use.
type lines struct {
	connects connects
	settings limit.Settings
	// concurrency says that limits on it are learned.
	concurrency bool
	siblings    *siblings // nil where nobody looks for lines that share an account
	mu          sync.RWMutex
	byKey       map[lineKey]*line
	full        time.Time // no room is looked for before
	dropped     limit.Counters
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
		ls.makeRoom(now)
	}
	if len(ls.byKey) >= maxLines {
		key = lineKey{}
		if ln = ls.byKey[key]; ln != nil {
			return ln
		}
	}
	ln = newLine(key, ls.settings, now)
	ln.slots = newSlots(0, ls.settings.QueueMax, ls.concurrency)
	ls.siblings.add(ln)
	ln.connects = &ls.connects
	ls.byKey[key] = ln
	return ln
}

// known returns the line of key, nil if there is none.
func (ls *lines) known(key lineKey) *line {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	return ls.byKey[key]
}

// makeRoom drops limiters, unless it did within roomTime. Locked.
func (ls *lines) makeRoom(now time.Time) {
	if now.Before(ls.full) {
		return
	}
	ls.full = now.Add(roomTime)
	type free struct {
		key  lineKey
		last time.Time
	}
	var all []free
	for key, ln := range ls.byKey {
		ts := ln.lock()
		idle := ts.limiter.Idle(now)
		last, waiting := ts.limiter.Used()
		ts.mu.Unlock()
		switch {
		case ln.slots.inUse():
		case idle:
			ls.drop(key, now)
		case waiting == 0:
			all = append(all, free{key, last})
		}
	}
	if len(ls.byKey) < maxLines {
		return
	}
	slices.SortFunc(all, func(a, b free) int { return a.last.Compare(b.last) })
	for _, f := range all[:min(len(all), maxLines/8)] {
		ls.drop(f.key, now)
	}
}

// drop forgets a limiter, but not what it counted. Locked.
func (ls *lines) drop(key lineKey, now time.Time) {
	ln := ls.byKey[key]
	if ls.siblings.remove(ln) {
		ls.dropped.Add(ln.turnstile.Load().snapshot(now).Counters)
	}
	delete(ls.byKey, key)
}

// each calls f with a snapshot of every limiter and those that it is for, and returns
// what they all counted, those that are gone included.
func (ls *lines) each(now time.Time, f func([]lineKey, limit.Snapshot)) limit.Counters {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	total := ls.dropped
	shared := map[*turnstile][]lineKey{}
	for key, ln := range ls.byKey {
		ts := ln.turnstile.Load()
		shared[ts] = append(shared[ts], key)
	}
	for ts, keys := range shared {
		s := ts.snapshot(now)
		total.Add(s.Counters)
		f(keys, s)
	}
	return total
}
