package sim

import (
	"cmp"
	"time"

	"outrigger/internal/sim/limits"
	"outrigger/internal/sim/reply"
)

// refuse applies what forbids the work of a request that is in order: the account,
// the limits by rate and by number, the capacity. It reports whether one did.
func (c *call) refuse() (reply.Answer, bool) {
	now := time.Now()
	if row := c.sim.accounts.Row(c.Credential, now); row != "" {
		c.fault = "account " + row
		return reply.FromRow(row, nil), true
	}
	c.decision = c.sim.meter.Take(now, c.Credential, c.Model, c.Cost)
	if !c.decision.Admitted {
		c.fault = "limit " + c.decision.Dimension.String()
		if row := c.decision.Row; row != "" {
			return reply.FromRow(row, nil), true
		}
		return limits.Refusal{
			Style: c.sim.cfg.Style, Organization: c.sim.cfg.Organization, Model: cmp.Or(c.Model, c.Route.Name),
			Dialect: c.Route.Dialect, RequestID: c.ID,
		}.Answer(c.decision), true
	}
	release, row := c.sim.concurrency.Take(c.Credential, c.Model)
	if row != "" {
		c.fault = "concurrency"
		return reply.FromRow(row, nil), true
	}
	c.release = append(c.release, release)
	cfg := &c.sim.cfg
	if c.lost, row = c.sim.capacity.Take(cfg.Latency + cfg.TokenDelay*time.Duration(cfg.Tokens)); row != "" {
		c.fault = "capacity"
		return reply.FromRow(row, nil), true
	}
	c.release = append(c.release, c.sim.capacity.Release)
	return reply.Answer{}, false
}

// overload waits for the time that refusals have taken from this request, and reports
// false when the client left meanwhile. Those that come while it waits count too.
func (c *call) overload() bool {
	for {
		late := c.sim.capacity.LostSince(c.lost)
		if late <= 0 {
			return true
		}
		c.lost += late
		if !c.pause(late) {
			return false
		}
	}
}
