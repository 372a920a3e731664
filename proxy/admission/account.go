package admission

import (
	"container/list"
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/carrier"
)

// accountKey is a credential, and whether its calls name a model: those that name none are not
// to wait for made-up ones.
type accountKey struct {
	credential carrier.Credential
	named      bool
}

// account is what one credential has of an upstream's limiters. Its fields are under the lock
// of Queues.Mu.
//
// Models that no answer has shown to exist share one limiter: a caller can make up any number
// of them. A model that an answer shows to exist has its own from then on, see Prove.
type account struct {
	key      accountKey
	payer    [32]byte            // who that is to the fleet; zero while that is not known
	common   *scheduler          // that they share; nil while nobody needs it
	users    int                 // requests that are made for such models
	unproven map[*Queue]struct{} // those models' queues that are in use
	lines    int
	bytes    int // of queues and common
	size     int // of common, while nobody uses it
	idle     [idleKinds]list.List
	resting  *list.Element
	blank    bool // resting is among those that hold nothing
}

// maxBlank is how many limiters that nobody uses are kept although a new one would do nearly as
// well: a burst of calls that all fail goes on at the pace that it had.
const maxBlank = 64

// wake makes a queue that nobody used ready for use. Locked.
func (ls *Queues) wake(ln *Queue, now time.Time) {
	ls.unrest(ln)
	if ln.proven.Load() {
		return
	}
	a := ln.account
	if a.common == nil {
		a.common = &scheduler{limiter: limit.New(ls.settings, now), held: map[*Ticket]struct{}{}}
	}
	ls.unrestCommon(a)
	if a.unproven == nil {
		a.unproven = map[*Queue]struct{}{}
	}
	a.unproven[ln] = struct{}{}
	ln.taught = 0
	ln.scheduler.Store(a.common)
	if ls.Fleet != nil {
		a.common.mu.Lock()
		ls.share(a.common, ln, now)
		a.common.mu.Unlock()
	}
}

// restCommon puts the limiter of models that nobody knows to exist among those that may go, once
// nobody uses it. Locked.
func (ls *Queues) restCommon(a *account, now time.Time) {
	ts := a.common
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ls.restLocked(a, now)
}

// restLocked is restCommon, under the lock of that limiter too.
func (ls *Queues) restLocked(a *account, now time.Time) {
	size := a.common.limiter.Size()
	a.bytes += size - a.size
	ls.bytes += size - a.size
	a.size = size
	ls.unrestCommon(a)
	if a.blank = a.common.limiter.Blank(now); !a.blank {
		a.resting = ls.resting.PushBack(a)
		return
	}
	a.resting = ls.blank.PushBack(a)
	if ls.blank.Len() > maxBlank {
		ls.dropCommon(ls.blank.Front().Value.(*account), now)
	}
}

// unrestCommon takes it out of there. Locked.
func (ls *Queues) unrestCommon(a *account) {
	if a.resting == nil {
		return
	}
	if a.blank {
		ls.blank.Remove(a.resting)
	} else {
		ls.resting.Remove(a.resting)
	}
	a.resting = nil
}

// dropCommon forgets a limiter that nobody uses, but not what it counted. Locked.
func (ls *Queues) dropCommon(a *account, now time.Time) {
	ls.unrestCommon(a)
	ls.dropped.Add(a.common.snapshot(now).Counters)
	a.bytes -= a.size
	ls.bytes -= a.size
	a.common, a.size = nil, 0
	ls.forget(a)
}

// forget drops an account that has nothing left. Locked.
func (ls *Queues) forget(a *account) {
	if a.lines == 0 && a.users == 0 && a.common == nil {
		delete(ls.accounts, a.key)
	}
}
