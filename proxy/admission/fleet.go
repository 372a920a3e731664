package admission

import (
	"time"

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
	Lease(of Account, a limit.Ask, done func(limit.Lease, bool))
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

// share makes ts lease from an account. Locked.
func (ts *scheduler) share(f Fleet, of Account, now time.Time) {
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
	a, ok, again := ts.limiter.Ask(now)
	if !ok {
		return again
	}
	turn := ts.asks
	ts.fleet.Lease(ts.leasesFrom, a, func(r limit.Lease, ok bool) { ts.leased(turn, a, r, ok) })
	return time.Time{}
}

// leased takes in the answer to what was asked at turn. One that came too late is for nobody.
func (ts *scheduler) leased(turn int, a limit.Ask, r limit.Lease, ok bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := time.Now()
	switch {
	case turn != ts.asks:
		return
	case ok:
		ts.limiter.Leased(now, a, r)
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
