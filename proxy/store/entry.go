package store

import "time"

// The methods in this file want m.mu held.

// claim enters a call as running.
func (m *memory) claim(call Call, now time.Time) *entry {
	e := &entry{call: call, state: Running, since: now, token: newToken(), ended: make(chan struct{})}
	m.entries[call.Key] = e
	m.used += overhead
	m.evict()
	return e
}

// end runs f on the entry that the claim is for, and wakes those that wait for it.
func (m *memory) end(claim Claim, f func(*entry, time.Time) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	now := time.Now()
	m.expire(now)
	e := m.entries[claim.call.Key]
	if e == nil || e.state != Running || e.token != claim.token {
		return ErrNotHeld
	}
	defer close(e.ended)
	return f(e, now)
}

// lose ends a call without an answer to keep.
func (m *memory) lose(e *entry, status int, now time.Time) {
	if !e.call.Create {
		m.forget(e)
		return
	}
	e.state, e.status = Unknown, status
	m.keep(e, now)
}

// keep enters a call that ended into the lists, for the TTL.
func (m *memory) keep(e *entry, now time.Time) {
	e.expires = now.Add(m.config.TTL)
	e.age = m.ages.PushBack(e)
	e.use = m.uses[e.list()].PushBack(e)
	m.evict()
}

// list is the list in uses that the entry belongs to.
func (e *entry) list() int {
	if e.call.Create {
		return 1
	}
	return 0
}

// expire forgets what has lived its TTL.
func (m *memory) expire(now time.Time) {
	for first := m.ages.Front(); first != nil && !now.Before(first.Value.(*entry).expires); first = m.ages.Front() {
		m.forget(first.Value.(*entry))
	}
}

// evict forgets the least recently used, computes first, until all fit.
func (m *memory) evict() {
	for i := range m.uses {
		for m.used > int64(m.config.Bytes) && m.uses[i].Len() > 0 {
			m.forget(m.uses[i].Front().Value.(*entry))
		}
	}
}

// forget takes an entry out of everything.
func (m *memory) forget(e *entry) {
	delete(m.entries, e.call.Key)
	m.used -= overhead
	if e.answer != nil {
		m.used -= e.answer.Size()
	}
	if e.age != nil {
		m.ages.Remove(e.age)
		m.uses[e.list()].Remove(e.use)
	}
}
