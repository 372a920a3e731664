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

// Budget bounds retries as a share of requests: over any 10 s at most ratio times
// the requests begun in them or waiting to begin, and 10 more. An upstream that
// fails everything then sees little more load than one that fails nothing. It is
// spent when a retry starts, not when it is decided. Those that wait count as they
// do in Envoy's retry budget (its active and pending requests): after an outage all
// that failed when it began start again at once, and what was begun before it has
// left the window by then. Safe for concurrent use; made by NewBudget.
type Budget struct {
	mu       sync.Mutex
	start    time.Time
	parts    uint64 // ratio in millionths
	now      int64  // the current tick, counted from start
	requests uint64 // in the ticks that count
	retries  uint64
	waiting  uint64 // to begin
	ticks    [budgetTicks]budgetCount
}

type budgetCount struct{ requests, retries uint64 }

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
	b.requests++
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

// Spend takes one retry out of the budget, and reports whether there was one. It does not allocate.
func (b *Budget) Spend(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.slide(now)
	if b.retries >= budgetFloor+(b.requests+b.waiting)*b.parts/ratioUnit {
		return false
	}
	b.ticks[i].retries++
	b.retries++
	return true
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
		b.requests -= partly.requests + gone.requests
		b.retries -= gone.retries
		partly.requests, *gone = 0, budgetCount{}
	}
	return b.now % budgetTicks
}
