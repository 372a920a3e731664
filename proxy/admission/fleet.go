package admission

import (
	"time"

	"outrigger/policy/concurrency"
	"outrigger/policy/limit"
)

// Fleet leases what may be sent from accounts that several processes share. Safe for concurrent
// use.
type Fleet interface {
	// Apart returns in how many equal parts each limit is divided while the accounts cannot be
	// asked, 0 while they can, and whether nothing is to be sent meanwhile.
	Apart() (parts int, closed bool)
	// Lease asks an account in the background. Done is told the answer, and false if there is
	// none; it is not called before Lease returns.
	Lease(of Account, a Ask, done func(Lease, bool))
	// Places asks in the same way for places among the calls in flight.
	Places(of Account, a PlacesAsk, done func(PlacesLease, bool))
	// Woken has f called when an account may have a place for this process, which waits for one;
	// nil ends that.
	Woken(of Account, f func())
}

// Ask is what is asked of an account, with what is known of the calls in flight.
type Ask struct {
	limit.Ask
	// Flying is how many calls are under way. Calls is the limit on them as known here, as of
	// CallsVersion, and CallsNew that others do not know it.
	Flying       int
	Calls        concurrency.Known
	CallsVersion int64
	CallsNew     bool
}

// Lease is the answer.
type Lease struct {
	limit.Lease
	// Flying is how many calls of others are under way, and Calls the limit on all of them.
	Flying       int
	Calls        concurrency.Known
	CallsVersion int64
}

// Account names what processes share: who pays at which upstream, and the model. The zero value
// names nothing.
type Account struct {
	Payer [32]byte // a hash that is the same in all processes
	Model string   // "" is that of all models that no answer showed to exist
}

// Identify says who pays for the calls in the queue, for the fleet.
func (ln *Queue) Identify(payer [32]byte, now time.Time) {
	ls := ln.Home
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ln.account.payer = payer
	ts := ln.lock()
	defer ts.mu.Unlock()
	ls.share(ts, ln, now)
}

// Identified reports whether Identify need not be called: there is no fleet, or who pays is known.
func (ln *Queue) Identified() bool {
	if ln.Home == nil || ln.Home.Fleet == nil {
		return true
	}
	ls := ln.Home
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	return ln.account.payer != [32]byte{}
}

// share lets a scheduler of ln's lease from the fleet. Both are locked.
func (ls *Queues) share(ts *scheduler, ln *Queue, now time.Time) {
	if ls.Fleet == nil || ln.account.payer == [32]byte{} {
		return
	}
	of := Account{Payer: ln.account.payer}
	if ln.proven.Load() || len(ln.account.unproven) == 1 { // the one model that calls are for: it is likely to exist
		of.Model = ln.key.Model
	}
	ts.share(ls.Fleet, of, now)
}

// shareAlone lets a line lease by itself that has a scheduler of its own. Queues.mu is held.
func (ls *Queues) shareAlone(ln *Queue, now time.Time) {
	if ls.Fleet == nil || !ln.proven.Load() {
		return
	}
	ts := ln.lock()
	defer ts.mu.Unlock()
	if len(ts.lines) == 1 {
		ls.share(ts, ln, now)
	}
}

// share makes ts lease from an account. Locked.
func (ts *scheduler) share(f Fleet, of Account, now time.Time) {
	if slots := ts.slots(); slots != nil {
		slots.Share(f, of)
	}
	if ts.fleet != nil && ts.leasesFrom == of {
		return
	}
	ts.fleet, ts.leasesFrom = f, of
	ts.limiter.Share()
	ts.asks++
	ts.release(now)
}

// lease asks for what is needed now, and returns when to look again, zero for not before another
// release. Locked.
func (ts *scheduler) lease(now time.Time) time.Time {
	q := Ask{}
	slots := ts.slots()
	if slots != nil {
		q.Calls, q.CallsVersion, q.CallsNew = slots.news(now)
	}
	var ok bool
	var again time.Time
	if q.Ask, ok, again = ts.limiter.Ask(now, q.CallsNew); !ok {
		return again
	}
	if slots != nil {
		q.Flying = slots.flying()
	}
	turn := ts.asks
	ts.fleet.Lease(ts.leasesFrom, q, func(r Lease, ok bool) { ts.leased(turn, q, slots, r, ok) })
	return time.Time{}
}

// slots bound the calls in flight of those who lease, nil while that is not one model's.
func (ts *scheduler) slots() *Slots {
	if len(ts.lines) != 1 {
		return nil
	}
	return ts.lines[0].Slots
}

// leased takes in the answer to what was asked at turn. One that came too late is for nobody.
func (ts *scheduler) leased(turn int, a Ask, slots *Slots, r Lease, ok bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := time.Now()
	switch {
	case turn != ts.asks:
		return
	case ok:
		ts.limiter.Leased(now, a.Ask, r.Lease)
		if slots != nil {
			slots.heard(now, r.Calls, r.CallsVersion, r.Flying)
		}
	default:
		ts.limiter.Unanswered()
	}
	ts.release(now)
}

// follow learns whether the fleet can be asked. Locked.
func (ts *scheduler) follow(now time.Time) {
	parts, closed := ts.fleet.Apart()
	ts.limiter.Apart(now, parts, closed)
}

// Leases reports whether what may be sent is leased from the fleet.
func (ln *Queue) Leases() bool {
	ts := ln.lock()
	defer ts.mu.Unlock()
	return ts.fleet != nil
}

// Share lets the slots be of a limit that is shared under that name.
func (s *Slots) Share(f Fleet, of Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared != nil && s.shared.of == of {
		return
	}
	s.shared = &sharing{fleet: f, of: of}
	s.learned.Share()
	f.Woken(of, s.word)
}

// Unshare ends that. The places that were leased are others' once nothing more is said of them.
func (s *Slots) Unshare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared.leave()
	s.shared = nil
	s.learned.Unshare()
	s.Release(time.Now())
}
