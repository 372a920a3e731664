package limits

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

// Concurrency is how many requests of those that match it may be in progress at once,
// as plans with N concurrent calls have it. Counts are per credential and model unless
// Shared. A request holds its place until its answer, a stream to its end, was sent.
type Concurrency struct {
	Credential string `json:"credential" doc:"only for this API key; a trailing * matches a prefix"`
	Model      string `json:"model" doc:"only for this model; a trailing * matches a prefix"`
	Places     int    `json:"places" doc:"most requests in progress at once, 0 = no bound"`
	Row        string `json:"row" doc:"provider/name of the refusal (default generic/429_too_many_requests)"`
	Shared     bool   `json:"shared" doc:"all credentials and models that match draw on one count"`
}

// defaultConcurrencyRow says nothing but its status: the usual case.
const defaultConcurrencyRow = "generic/429_too_many_requests"

// ErrConcurrency is wrapped by the errors of Concurrency.Validate.
var ErrConcurrency = errors.New("bad concurrency limit")

// Validate reports the first field that makes no sense, wrapping ErrConcurrency.
func (l Concurrency) Validate() error {
	if l.Places < 0 {
		return fmt.Errorf("%w: places is %d, want 0 (none) or more", ErrConcurrency, l.Places)
	}
	if err := CheckRow(l.Row); err != nil {
		return fmt.Errorf("%w: %w", ErrConcurrency, err)
	}
	return nil
}

// CheckRow checks a row that is to be a refusal; "" is the default one.
func CheckRow(id string) error {
	if id == "" {
		return nil
	}
	row, err := fault.FindRow(id)
	if err != nil {
		return err
	}
	if row.Status < http.StatusBadRequest {
		return fmt.Errorf("%w: %s has status %d, want a refusal", fault.ErrRow, id, row.Status)
	}
	return nil
}

// InProgress counts who is in progress. The first limit that matches applies. Call Replace
// first. It is safe for concurrent use.
type InProgress struct {
	mu     sync.Mutex
	limits []Concurrency
	held   map[place]int
}

// place tells the counts apart. It names the limit by what it matches, so that a limit
// that is replaced by a higher or lower one keeps its count.
type place struct {
	limit             Concurrency // without Places and Row
	credential, model string      // both "" if the limit is shared
}

// Replace puts other limits in force. Requests in progress keep their places, of
// limits that matched the same before.
func (c *InProgress) Replace(limits []Concurrency) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits = append([]Concurrency(nil), limits...)
	if c.held == nil {
		c.held = map[place]int{}
	}
}

// List returns the limits in force. It is never nil.
func (c *InProgress) List() []Concurrency {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Concurrency{}, c.limits...)
}

// Take gives the request a place and returns what releases it, or the row of its refusal.
func (c *InProgress) Take(credential, model string) (release func(), row string) { //nolint:nonamedreturns // the names tell them apart
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.limits {
		if !meter.Match(l.Credential, credential) || !meter.Match(l.Model, model) {
			continue
		}
		p := place{limit: Concurrency{Credential: l.Credential, Model: l.Model, Shared: l.Shared}, credential: credential, model: model}
		if l.Shared {
			p.credential, p.model = "", ""
		}
		if l.Places > 0 && c.held[p] >= l.Places {
			return nil, cmp.Or(l.Row, defaultConcurrencyRow)
		}
		c.held[p]++
		return func() { c.release(p) }, ""
	}
	return func() {}, ""
}

func (c *InProgress) release(p place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[p]--; c.held[p] == 0 {
		delete(c.held, p)
	}
}
