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

// slowFailure is how long a retry under way counts as failed, and slowTicks that in ticks.
const (
	slowFailure = 5 * time.Second
	slowTicks   = int64(slowFailure / budgetTick)
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
// succeeds, but for 5 s at most: a crowd that fails fast is bounded before it has failed,
// and one that takes long, be it to succeed, holds up no others.
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
	paid    uint64      // successes so far: tells running retries from those before
	ticks   [budgetTicks]budgetCount
}

type budgetCount struct {
	requests, failed, unpaid uint64
	running                  uint64 // retries that began then and have not ended
	paid                     uint64 // successes by then
}

// Charge is one retry's part of a budget, from Spend to Settle. The zero value is none.
type Charge struct {
	made bool
	tick int64
	paid uint64
}

// NewBudget returns a budget of ratio retries per request. A ratio that is
// negative or not a number is 0; one over a thousand is a thousand.
func NewBudget(ratio float64, now time.Time) *Budget {
	return &Budget{start: now, parts: partsOf(ratio)}
}

func partsOf(ratio float64) uint64 {
	if !(ratio > 0) {
		ratio = 0
	}
	return uint64(math.Round(min(ratio, 1000) * ratioUnit))
}

// Configure puts another ratio into force, as NewBudget takes it. What was counted stays.
func (b *Budget) Configure(ratio float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parts = partsOf(ratio)
}

// Request counts one request of a caller, however many attempts it will take. It does not allocate.
func (b *Budget) Request(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ticks[b.slide(now)].requests++
	b.sum.requests++
}

// Ended tells that an attempt ended which began then. Where that was before the window, the
// request counts for the window once more: calls that take long, and are lost together,
// would else find the budget of the few that began lately. It does not allocate.
func (b *Budget) Ended(now, began time.Time) {
	if now.Sub(began) > budgetWindow {
		b.Request(now)
	}
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
	tick := &b.ticks[b.slide(now)]
	if b.left() <= 0 {
		return Charge{}, false
	}
	if tick.paid != b.paid {
		tick.running, tick.paid = 0, b.paid
	}
	tick.running++
	return Charge{made: true, tick: b.now, paid: b.paid}, true
}

// running is how many retries are under way that began within slowFailure and since the
// last success. Locked.
func (b *Budget) running() uint64 {
	n := uint64(0)
	for i := max(b.now-slowTicks+1, 0); i <= b.now; i++ {
		if tick := &b.ticks[i%budgetTicks]; tick.paid == b.paid {
			n += tick.running
		}
	}
	return n
}

// left is how many retries may start. Locked.
func (b *Budget) left() int64 {
	requests, running := b.sum.requests+b.waiting, b.running()
	unpaid := budgetFloor + requests*b.parts/ratioUnit
	failed := budgetFloor + requests*max(failedMost*ratioUnit, b.parts)/ratioUnit
	return min(int64(unpaid)-int64(b.sum.unpaid+running), int64(failed)-int64(b.sum.failed+running))
}

// Settle ends a charge: the retry failed, or it did not, because it succeeded or proved
// nothing. The zero charge is ignored. It does not allocate.
func (b *Budget) Settle(now time.Time, c Charge, failed bool) {
	if !c.made {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.slide(now)
	if began := &b.ticks[c.tick%budgetTicks]; b.now-c.tick < budgetTicks && began.paid == c.paid && began.running > 0 {
		began.running--
	}
	if failed {
		tick := &b.ticks[at]
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
	pays := min(successPays, b.sum.unpaid)
	b.sum.unpaid -= pays
	for i := b.now + budgetTicks; pays > 0; i-- {
		tick := &b.ticks[i%budgetTicks]
		part := min(pays, tick.unpaid)
		tick.unpaid -= part
		pays -= part
	}
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
