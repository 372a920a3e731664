package policy

import "outrigger/policy/classify"

// Configure puts other settings into force, as NewBreaker takes them. The state stays: a
// breaker that is open, or half-open, is open for the new time from now on. Failures in a
// row stay counted; those of the window begin anew if its length changes.
func (b *Breaker) Configure(c BreakerConfig, alone bool) {
	b.mu.Lock()
	defer b.unlock()
	before, state := b.config, b.state()
	b.config, b.alone = c.inRange(alone), alone
	if b.config.Window == before.Window && b.config.Open == before.Open {
		return
	}
	opens, since := b.opens, b.since
	b.count()
	b.changes++ // what is under way was let through by the count before
	b.probe = nil
	if state == Closed {
		return
	}
	b.forced = true
	b.enter(classify.Fault)
	b.forced, b.opens, b.since = false, opens, since
}
