package meter

import (
	"sync"
	"time"
)

// maxCounts bounds the counts that are kept: credentials and models come from callers.
const maxCounts = 10_000

// Meter applies a list of limits. It is safe for concurrent use; no call waits.
type Meter struct {
	mu     sync.Mutex
	limits []Limit
	counts map[key]*count
}

// key tells the counts of one limit apart.
type key struct {
	limit             int
	credential, model string
}

// count is what one credential used of one limit.
type count struct {
	limit    Limit
	enforced [dimensions]*bucket
	shown    [dimensions]*bucket // what headers tell; the same as enforced where that is one bucket for the window
}

// New returns a Meter for limits, of which the first that matches a request holds.
func New(limits []Limit) *Meter {
	m := &Meter{}
	m.Replace(limits)
	return m
}

// Replace puts other limits in force and forgets what was used.
func (m *Meter) Replace(limits []Limit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limits = append([]Limit(nil), limits...)
	m.counts = map[key]*count{}
}

// Limits returns the limits in force.
func (m *Meter) Limits() []Limit {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Limit(nil), m.limits...)
}

// Take charges a request if it fits in every dimension, else nothing (or, with
// CountRefusals, one request).
func (m *Meter) Take(now time.Time, credential, model string, cost Cost) Decision {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.find(now, credential, model)
	if c == nil {
		return Decision{Admitted: true}
	}
	return c.take(now, cost)
}

// find returns the count to use, or nil when no limit matches.
func (m *Meter) find(now time.Time, credential, model string) *count {
	for i, l := range m.limits {
		if !l.matches(credential, model) {
			continue
		}
		k := key{limit: i, credential: credential, model: model}
		if l.Shared {
			k = key{limit: i}
		}
		c := m.counts[k]
		if c == nil {
			if len(m.counts) >= maxCounts {
				m.forget(now)
			}
			c = newCount(l, now)
			m.counts[k] = c
		}
		return c
	}
	return nil
}

// forget drops the counts that are full, and any one if none is.
func (m *Meter) forget(now time.Time) {
	for k, c := range m.counts {
		if c.full(now) {
			delete(m.counts, k)
		}
	}
	for k := range m.counts {
		if len(m.counts) < maxCounts {
			return
		}
		delete(m.counts, k)
	}
}

func newCount(l Limit, now time.Time) *count {
	c := &count{limit: l}
	for d, limit := range [dimensions]int{l.RPM, l.RPD, l.TPM, l.TPD, l.IPM} {
		if limit == 0 {
			continue
		}
		b := newBucket(limit, Dimension(d).Window(), l, now)
		c.enforced[d], c.shown[d] = b, b
		if b.size < b.limit {
			c.shown[d] = newBucket(limit, Dimension(d).Window(), Limit{}, now)
		}
	}
	return c
}

// full reports that dropping the count would lose nothing.
func (c *count) full(now time.Time) bool {
	for d := range c.enforced {
		for _, b := range []*bucket{c.enforced[d], c.shown[d]} {
			if b == nil {
				continue
			}
			b.advance(now)
			if b.level < b.size-epsilon {
				return false
			}
		}
	}
	return true
}

func (c *count) take(now time.Time, cost Cost) Decision {
	decision := Decision{Admitted: true}
	for d := range dimensions {
		b := c.enforced[d]
		if b == nil {
			continue
		}
		b.advance(now)
		c.shown[d].advance(now)
		c.refuse(now, d, cost.of(d), &decision)
	}
	for d := range dimensions {
		if c.enforced[d] == nil {
			continue
		}
		if decision.Admitted || (c.limit.CountRefusals && d.Unit() == "requests") {
			c.charge(d, float64(cost.of(d)))
		}
		if c.limit.Row != "" {
			decision.Row = c.limit.Row
			continue
		}
		b := c.shown[d]
		decision.Levels[d] = Level{Limit: int(b.limit), Remaining: b.remaining(), Reset: b.reset(now)}
	}
	return decision
}

// refuse enters this dimension's refusal into the decision, if it refuses and no
// other dimension asks for a longer wait.
func (c *count) refuse(now time.Time, d Dimension, units int, decision *Decision) {
	b := c.enforced[d]
	cost := float64(units)
	refusal := Decision{
		Dimension: d, Limit: int(b.limit), Requested: units,
		TooLarge: cost > b.limit, Used: int(b.used(cost)),
	}
	if !refusal.TooLarge {
		if b.fits(cost) {
			return
		}
		switch c.limit.Hint {
		case NoHint:
		case Formula:
			refusal.Wait = b.lasts(b.deficit(cost))
		default:
			refusal.Wait = b.wait(now, cost)
		}
	}
	if decision.Admitted || refusal.TooLarge || (!decision.TooLarge && refusal.Wait > decision.Wait) {
		*decision = refusal
	}
}

func (c *count) charge(d Dimension, cost float64) {
	c.enforced[d].take(cost)
	if c.shown[d] != c.enforced[d] {
		c.shown[d].take(cost)
	}
}
