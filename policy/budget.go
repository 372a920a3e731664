package policy

import (
	"math"
	"sync"
	"time"
)

// The budget's window, and what it allows without any requests: an app that sends
// little could else never retry.
const (
	budgetWindow = 10 * time.Second
	budgetFloor  = 10
)

const (
	// successPays is how many failed retries one success pays for. Of attempts that fail
	// with probability p, each independent of the load, p/(1-p) fail for each that succeeds.
	// At p = 0.9 an SDK's two retries make 5.8 failed ones for each success. Luck is
	// uneven, so 8: less was measured to fall short of the SDK there.
	successPays = 8
	// failedMost bounds failed retries per request, however many are paid: the retries
	// that OpenAI's and Anthropic's SDKs make by default (max_retries 2).
	failedMost = 2
)

// The window slides by ticks. Requests count for the ticks that lie wholly inside
// it, retries for every tick that touches it: at each instant the rule holds for
// the exact window, and a retry comes free at most one tick late.
const (
	budgetTick  = 100 * time.Millisecond
	budgetTicks = int64(budgetWindow/budgetTick) + 1
)

// ratioUnit makes a ratio whole parts per million: 0.29 of 100 requests is 29
// then, and not the 28.999… of floating point.
const ratioUnit = 1_000_000

// Budget bounds retries that fail: over any 10 s at most ratio times the requests begun
// in them or waiting to begin, and 10 more, may have failed unpaid, and each attempt
// that succeeds pays for eight of them. However much is paid, at most twice the requests,
// and 10 more, may have failed.
//
// So an upstream that fails everything sees little more load than one that fails
// nothing, whatever went before: success pays for what has failed already, and cannot be
// saved up. One that is merely ill is retried as often as it takes, for a retry that
// succeeds costs nothing. A retry under way counts as failed until it ends or anything
// succeeds: slow failures are not noticed too late, and slow successes cost nothing.
//
// It is spent when a retry starts, not when it is decided. Requests that wait count as
// they do in Envoy's retry budget (its active and pending requests): after an outage all
// that failed when it began start again at once, and what was begun before it has left
// the window by then. Safe for concurrent use; made by NewBudget.
type Budget struct {
	mu      sync.Mutex
	start   time.Time
	parts   uint64      // ratio in millionths
	now     int64       // the current tick, counted from start
	sum     budgetCount // of the ticks that count
	waiting uint64      // requests to begin
	running uint64      // retries since the last success
	paid    uint64      // successes so far: tells the running ones from those before
	last    time.Time   // of the last success
	ticks   [budgetTicks]budgetCount
}

type budgetCount struct{ requests, failed, unpaid uint64 }

// Charge is one retry's part of a budget, from Spend to Settle. The zero value is none.
type Charge struct {
	made bool
	paid uint64
}

// NewBudget returns a budget of ratio retries per request. A ratio that is
// negative or not a number is 0; one over a thousand is a thousand.
func NewBudget(ratio float64, now time.Time) *Budget {
	if !(ratio > 0) {
		ratio = 0
	}
	parts := math.Round(min(ratio, 1000) * ratioUnit)
	return &Budget{start: now, parts: uint64(parts)}
}

// Request counts one request of a caller, however many attempts it will take. It does not allocate.
func (b *Budget) Request(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ticks[b.slide(now)].requests++
	b.sum.requests++
}

// Enter counts a request that waits for its first attempt, until Leave. It does not allocate.
func (b *Budget) Enter() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting++
}

// Leave ends what Enter began: the first attempt starts, and Request counts it, or
// it never will. It does not allocate.
func (b *Budget) Leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting > 0 {
		b.waiting--
	}
}

// Spend takes one retry out of the budget, and reports whether there was one. The charge
// must be settled. It does not allocate.
func (b *Budget) Spend(now time.Time) (Charge, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide(now)
	if b.left() <= 0 {
		return Charge{}, false
	}
	b.running++
	return Charge{made: true, paid: b.paid}, true
}

// left is how many retries may start. Locked.
func (b *Budget) left() int64 {
	requests := b.sum.requests + b.waiting
	unpaid := budgetFloor + requests*b.parts/ratioUnit
	failed := budgetFloor + requests*max(failedMost*ratioUnit, b.parts)/ratioUnit
	return min(int64(unpaid)-int64(b.sum.unpaid+b.running), int64(failed)-int64(b.sum.failed+b.running))
}

// Settle ends a charge: the retry failed, or it did not, because it succeeded or proved
// nothing. The zero charge is ignored. It does not allocate.
func (b *Budget) Settle(now time.Time, c Charge, failed bool) {
	if !c.made {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.paid == b.paid && b.running > 0 {
		b.running--
	}
	if failed {
		tick := &b.ticks[b.slide(now)]
		tick.failed++
		tick.unpaid++
		b.sum.failed++
		b.sum.unpaid++
	}
}

// Succeeded tells that an attempt succeeded, a request's first one or a retry. It pays
// for the latest failures, so that the oldest leave the window by themselves: the unpaid
// share is there besides. It does not allocate.
func (b *Budget) Succeeded(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide(now)
	b.paid++
	b.running = 0
	b.last = now
	pays := min(successPays, b.sum.unpaid)
	b.sum.unpaid -= pays
	for i := b.now + budgetTicks; pays > 0; i-- {
		tick := &b.ticks[i%budgetTicks]
		part := min(pays, tick.unpaid)
		tick.unpaid -= part
		pays -= part
	}
}

// SucceededSince reports whether any attempt has succeeded at t or later.
func (b *Budget) SucceededSince(t time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.last.Before(t)
}

// Remaining returns how many retries may start now, for metrics and pages.
func (b *Budget) Remaining(now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide(now)
	return int(max(b.left(), 0))
}

// slide moves the window to now and returns the index of its last tick. Calls
// from goroutines that read the clock a little apart may come out of order: time
// does not go back. Locked.
func (b *Budget) slide(now time.Time) int64 {
	to := int64(now.Sub(b.start) / budgetTick)
	if to-b.now > budgetTicks { // all of it is over
		b.now = to - budgetTicks
	}
	for b.now < to {
		b.now++
		// The oldest tick of the ring is only partly inside the window now: its
		// requests no longer count. The one before it makes room for the new one.
		partly, gone := &b.ticks[(b.now+1)%budgetTicks], &b.ticks[b.now%budgetTicks]
		b.sum.requests -= partly.requests + gone.requests
		b.sum.failed -= gone.failed
		b.sum.unpaid -= gone.unpaid
		partly.requests, *gone = 0, budgetCount{}
	}
	return b.now % budgetTicks
}
