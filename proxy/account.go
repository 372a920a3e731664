package proxy

import (
	"container/list"
	"time"

	"outrigger/policy/limit"
)

// account is what one credential has of an upstream's limiters. Its fields are under the lock
// of lines.
//
// Models that no answer has shown to exist share one limiter: a caller can make up any number
// of them. A model that an answer shows to exist has its own from then on, see prove.
type account struct {
	credential credential
	common     *turnstile         // that they share; nil while nobody needs it
	users      int                // requests that are made for such models
	unproven   map[*line]struct{} // those models' lines that are in use
	lines      int
	bytes      int // of lines and common
	size       int // of common, while nobody uses it
	idle       [idleKinds]list.List
	resting    *list.Element
}

// wake makes a line that nobody used ready for use. Locked.
func (ls *lines) wake(ln *line, now time.Time) {
	ls.unrest(ln)
	if ln.proven.Load() {
		return
	}
	a := ln.account
	if a.common == nil {
		a.common = &turnstile{limiter: limit.New(ls.settings, now), held: map[*place]struct{}{}}
	}
	if a.resting != nil {
		ls.resting.Remove(a.resting)
		a.resting = nil
	}
	if a.unproven == nil {
		a.unproven = map[*line]struct{}{}
	}
	a.unproven[ln] = struct{}{}
	ln.taught = 0
	ln.turnstile.Store(a.common)
}

// restCommon lets go of the limiter of models that nobody knows to exist, once nobody uses it,
// unless it holds what a new one would not. Locked.
func (ls *lines) restCommon(a *account, now time.Time) {
	ts := a.common
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ls.restCommonLocked(a, now)
}

// restCommonLocked is restCommon, under the lock of that limiter too.
func (ls *lines) restCommonLocked(a *account, now time.Time) {
	size := a.common.limiter.Size()
	if a.common.limiter.Blank(now) {
		ls.dropCommon(a, now)
		return
	}
	a.bytes += size - a.size
	ls.bytes += size - a.size
	a.size = size
	if a.resting == nil {
		a.resting = ls.resting.PushBack(a)
	}
}

// dropCommon forgets that limiter, but not what it counted. Locked, as it is.
func (ls *lines) dropCommon(a *account, now time.Time) {
	ls.dropped.Add(a.common.limiter.Snapshot(now).Counters)
	a.bytes -= a.size
	ls.bytes -= a.size
	a.common, a.size = nil, 0
	if a.resting != nil {
		ls.resting.Remove(a.resting)
		a.resting = nil
	}
}

// forget drops an account that has nothing left. Locked.
func (ls *lines) forget(a *account) {
	if a.lines == 0 && a.users == 0 && a.common == nil {
		delete(ls.accounts, a.credential)
	}
}
