package admission

import (
	"container/list"
	"sync"
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/carrier"
)

// Key is what providers keep one rate limit for: an account and a model.
type Key struct {
	Credential carrier.Credential
	Model      string
}

// Queues are the limiters of one upstream, made on first use. Callers choose both halves of
// their keys, so they are bounded in bytes: see QueueRoom. Safe for concurrent use.
type Queues struct {
	Connect  func(now time.Time) time.Duration // the shortest time that connecting took; nil is unknown
	settings limit.Settings
	// Concurrency says that limits on it are learned.
	Concurrency  bool
	SharedQuotas *sharedQuotas                       // nil where nobody looks for lines that share an account
	Fleet        Fleet                               // nil where no other process shares the limits
	Tell         func(key Key, news limit.News)      // is told what limiters learned; nil tells nobody
	TellSlots    func(key Key, news ConcurrencyNews) // as Slots.Tell
	Room         int                                 // the bytes that those may take that nobody uses
	mu           sync.RWMutex
	byKey        map[Key]*Queue
	accounts     map[accountKey]*account
	idle         [idleKinds]list.List // of *line, that used last at the back
	resting      list.List            // of *account, whose common limiter nobody uses,
	blank        list.List            // and of those for which a new one would do
	bytes        int
	dropped      limit.Counters
}

// NewQueues returns the queues of an upstream with limits s. It has none yet.
func NewQueues(s limit.Settings) *Queues {
	return &Queues{settings: s, Room: QueueRoom, byKey: map[Key]*Queue{}, accounts: map[accountKey]*account{}}
}

// Configure puts other settings into force. What the limiters learned stays where it still
// holds, see limit.Limiter; nobody loses its place in a queue, and those who may go by the new
// settings do so. concurrency says that limits on it are learned, and room is Room.
func (ls *Queues) Configure(s limit.Settings, concurrency bool, room int, now time.Time) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.settings, ls.Concurrency, ls.Room = s, concurrency, room
	ls.SharedQuotas.allow(MayShare(s), ls.byKey, now)
	all := map[*scheduler]bool{}
	for _, ln := range ls.byKey {
		ln.Slots.Configure(0, s.QueueMax, concurrency)
		if ln.proven.Load() {
			all[ln.scheduler.Load()] = true
		}
	}
	for _, a := range ls.accounts {
		if a.common != nil {
			all[a.common] = true
		}
	}
	for ts := range all {
		ts.configure(s, now)
	}
	for _, ln := range ls.byKey {
		ls.shareAlone(ln, now) // which shared an account with others until now
	}
}

// Take returns the queue of key for a request, which must release it. named says that the caller
// named the model: else it is an endpoint.
func (ls *Queues) Take(key Key, named bool, now time.Time) *Queue {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ln := ls.byKey[key]
	if ln == nil {
		ln = ls.add(key, named)
	}
	if ln.users == 0 {
		ls.wake(ln, now)
	}
	ln.users++
	ln.uses++
	if !ln.proven.Load() {
		ln.account.users++
	}
	return ln
}

// Of returns the queue of key as one whose model is known to exist.
func (ls *Queues) Of(key Key, now time.Time) *Queue {
	ln := ls.Take(key, true, now)
	ls.Prove(ln, now)
	ls.Release(ln, now)
	return ln
}

// Known returns the queue of key, nil if there is none.
func (ls *Queues) Known(key Key) *Queue {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	return ls.byKey[key]
}

// add makes the queue of key. Locked.
func (ls *Queues) add(key Key, named bool) *Queue {
	of := accountKey{key.Credential, named}
	a := ls.accounts[of]
	if a == nil {
		a = &account{key: of}
		ls.accounts[of] = a
	}
	ln := &Queue{key: key, Home: ls, account: a, connect: ls.Connect, Slots: NewSlots(0, ls.settings.QueueMax, ls.Concurrency)}
	if ls.TellSlots != nil {
		ln.Slots.Tell = func(news ConcurrencyNews) { ls.TellSlots(key, news) }
	}
	a.lines++
	ls.SharedQuotas.count(1)
	ls.byKey[key] = ln
	ls.resize(ln, queueBytes)
	return ln
}

// Release ends what Take began.
func (ls *Queues) Release(ln *Queue, now time.Time) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	a := ln.account
	ln.users--
	if !ln.proven.Load() {
		a.users--
	}
	if ln.users > 0 {
		return
	}
	if ln.isBlank(now) {
		ls.drop(ln, now)
	} else {
		ls.rest(ln, now)
	}
	if a.users == 0 && a.common != nil {
		ls.restCommon(a, now)
	}
	ls.makeRoom(a, now)
	ls.forget(a)
}

// Each calls f with a snapshot of every limiter and those that it is for, and whether answers
// showed that their models exist. It returns what they all counted, those that are gone included.
func (ls *Queues) Each(now time.Time, f func(keys []Key, s limit.Snapshot, proven bool)) limit.Counters {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	total := ls.dropped
	shared, common := map[*scheduler][]Key{}, map[*scheduler]bool{}
	for key, ln := range ls.byKey {
		ts := ln.scheduler.Load()
		shared[ts] = append(shared[ts], key)
	}
	for _, a := range ls.accounts {
		if a.common != nil {
			common[a.common] = true
			if shared[a.common] == nil {
				total.Add(a.common.snapshot(now).Counters)
			}
		}
	}
	for ts, keys := range shared {
		s := ts.snapshot(now)
		total.Add(s.Counters)
		f(keys, s, !common[ts])
	}
	return total
}
