package store

import "time"

// The methods in this file want m.mu held.

// claim enters a call as running.
func (m *memory) claim(call Call, now time.Time) *entry {
	e := &entry{call: call, state: Running, since: now, token: newToken(), ended: make(chan struct{})}
	m.entries[call.Key] = e
	m.used += e.cost()
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
	m.used -= e.cost()
	e.state, e.status = Unknown, status
	m.used += e.cost()
	m.keep(e, now)
}

// keep enters a call that ended into the lists, for the TTL.
func (m *memory) keep(e *entry, now time.Time) {
	e.expires = now.Add(m.config.TTL)
	e.age = m.ages.PushBack(e)
	m.hold(e)
	m.evict()
}

// hold enters an entry into the share that it belongs to.
func (m *memory) hold(e *entry) {
	if e.state == Unknown {
		m.markers.add(e)
		return
	}
	m.answers.add(e)
}

// cost is what an entry counts for, in bytes.
func (e *entry) cost() int64 {
	switch {
	case e.state == Unknown:
		return marker
	case e.answer != nil:
		return overhead + e.answer.Size()
	}
	return overhead
}

// list is the list in a share that the entry belongs to.
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

// evict makes room until all fit: of an answer to a create a marker is left, and markers
// give way to markers alone.
func (m *memory) evict() {
	for m.used > int64(m.config.Bytes) {
		e := m.answers.first()
		if e == nil {
			break
		}
		if !e.call.Create {
			m.forget(e)
			continue
		}
		m.answers.remove(e)
		m.used -= e.cost()
		e.state, e.status, e.answer = Unknown, e.answer.Status, nil
		m.used += e.cost()
		m.hold(e)
	}
	for m.markers.used > int64(m.config.Bytes)/markerShare {
		m.forget(m.markers.first())
	}
}

// forget takes an entry out of everything.
func (m *memory) forget(e *entry) {
	delete(m.entries, e.call.Key)
	m.used -= e.cost()
	if e.age != nil {
		m.ages.Remove(e.age)
		e.held.remove(e)
	}
}
