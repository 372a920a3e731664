package limits

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Capacity is how many requests the upstream works on at once, and what happens to
// those above.
type Capacity struct {
	Limit       int     `json:"limit" doc:"most requests at once, 0 = no bound"`
	Row         string  `json:"row" doc:"provider/name of the refusal (default openai/503_server_is_overloaded)"`
	RefusalCost float64 `json:"refusal_cost" doc:"what a refusal takes of the time that one place needs for an answer, 0 to 10; 0.1 is a tenth"`
}

// DefaultCapacityRow is OpenAI's answer when it is full.
const DefaultCapacityRow = "openai/503_server_is_overloaded"

// ErrCapacity is wrapped by the errors of Capacity.Validate.
var ErrCapacity = errors.New("bad capacity")

// Validate reports the first field that makes no sense, wrapping ErrCapacity.
func (c Capacity) Validate() error {
	if c.Limit < 0 {
		return fmt.Errorf("%w: limit is %d, want 0 (none) or more", ErrCapacity, c.Limit)
	}
	if !(c.RefusalCost >= 0 && c.RefusalCost <= 10) { // NaN fails both
		return fmt.Errorf("%w: refusal_cost is %v, want 0 to 10", ErrCapacity, c.RefusalCost)
	}
	if err := CheckRow(c.Row); err != nil {
		return fmt.Errorf("%w: %w", ErrCapacity, err)
	}
	return nil
}

// Load is the capacity in force and who uses it. Set it first. It is safe for concurrent use.
type Load struct {
	mu       sync.Mutex
	now      Capacity
	inflight int
	// lost is by how much refusals have delayed a request that was in progress all the
	// time. A refusal's work is taken in equal parts from all places, as a busy
	// machine's processors are: what it costs, divided by Limit.
	lost time.Duration
}

// Set changes the capacity; those in progress stay.
func (c *Load) Set(next Capacity) {
	next.Row = cmp.Or(next.Row, DefaultCapacityRow)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = next
}

// Current returns the present capacity, with its row filled in.
func (c *Load) Current() Capacity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Take admits a request and tells what was lost until now, or returns the row of its
// refusal. usual is how long an answer takes when nothing is refused.
func (c *Load) Take(usual time.Duration) (lost time.Duration, row string) { //nolint:nonamedreturns // the names tell them apart
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.Limit > 0 && c.inflight >= c.now.Limit {
		c.lost += time.Duration(c.now.RefusalCost * float64(usual) / float64(c.now.Limit))
		return 0, c.now.Row
	}
	c.inflight++
	return c.lost, ""
}

// Release ends a request that Take admitted.
func (c *Load) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inflight--
}

// Inflight is the number of requests in progress.
func (c *Load) Inflight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inflight
}

// LostSince is what was lost after the moment when lost was that much.
func (c *Load) LostSince(lost time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost - lost
}
