package memory

import (
	"slices"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"
)

// entry is what is known of one call, in little memory: there are tens of thousands. An entry
// in flight is in no queue, so nothing evicts it.
type entry struct {
	call    claims.Call
	state   claims.State
	evicted bool // Unknown only because its answer was evicted
	status  uint16
	since   time.Duration // after memory.began
	at      time.Duration // when it ended
	run     *run          // while it runs
	answer  []byte        // of a Done one: see packed
	links   [queues]link
}

// run is what only a running call has.
type run struct {
	token claims.Token
	ended chan struct{} // closed when the claim ends
}

// packed returns the header and body of an answer in exactly the memory that they need.
func packed(a *claims.Answer) []byte {
	b := record.AppendHeader(make([]byte, 0, int(a.Size())+64), a.Header)
	return slices.Concat(b, a.Body)
}

// unpacked returns the answer of an entry that is Done. It shares the entry's body.
func (e *entry) unpacked(stored time.Time) *claims.Answer {
	header, body, _ := record.CutHeader(e.answer) // as packed made it
	return &claims.Answer{Status: int(e.status), Header: header, Body: slices.Clip(body), Stored: stored}
}

// The methods of Store in this file want m.mu held.

// claim enters a call as running, if there is room for it.
func (m *Store) claim(call claims.Call, now time.Time) (*entry, error) {
	if call.Create {
		if err := m.markers.Reserve(call.Owner); err != nil {
			return nil, err
		}
	}
	e := &entry{call: call, state: claims.Running, since: now.Sub(m.began), run: &run{claims.NewToken(), make(chan struct{})}}
	m.entries[call.Key] = e
	m.used += e.cost()
	m.evict()
	return e, nil
}

// end runs f on the entry of a claim, and wakes those that wait for it.
func (m *Store) end(claim claims.Claim, f func(*entry) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return claims.ErrClosed
	}
	now := time.Now()
	m.expire(now)
	e := m.entries[claim.Call.Key]
	if e == nil || e.state != claims.Running || e.run.token != claim.Token {
		return claims.ErrNotHeld
	}
	defer close(e.run.ended)
	e.run, e.at = nil, now.Sub(m.began)
	return f(e)
}

// lose ends a call without an answer to keep.
func (m *Store) lose(e *entry, status int) {
	if !e.call.Create {
		m.remove(e)
		return
	}
	m.become(e, claims.Unknown, status, nil)
}

// become ends a call, which is kept for the TTL from now on.
func (m *Store) become(e *entry, state claims.State, status int, answer []byte) {
	if e.call.Create && state == claims.Done {
		m.markers.Add(e.call.Owner, -1)
	}
	m.used -= e.cost()
	e.state, e.status, e.answer = state, uint16(status), answer
	m.used += e.cost()
	m.ages.push(byAge, e)
	if list := m.evictableOf(e); list != nil {
		list.add(e)
	}
	m.evict()
}

// evictableOf is where an entry waits for its eviction, nil if it must not be evicted.
func (m *Store) evictableOf(e *entry) *evictable {
	switch {
	case e.state == claims.Done:
		return &m.answers
	case e.evicted:
		return &m.evicted
	}
	return nil
}

// cost is what an entry counts for, in bytes.
func (e *entry) cost() int64 {
	if e.state == claims.Unknown {
		return quota.Marker
	}
	return quota.Overhead + int64(len(e.answer))
}

// list is the entry's list within its owner's uses.
func (e *entry) list() int {
	if e.call.Create {
		return 1
	}
	return 0
}

// expire deletes what is older than the TTL.
func (m *Store) expire(now time.Time) {
	for first := m.ages.first; first != nil && now.Sub(m.began) >= first.at+m.limits.TTL; first = m.ages.first {
		m.remove(first)
	}
}

// evict evicts until everything fits. A create whose answer is evicted becomes Unknown while
// there is room for that beside the markers.
func (m *Store) evict() {
	for m.used > m.limits.Bytes {
		e := m.answers.first()
		if e == nil {
			break
		}
		if !e.call.Create {
			m.remove(e)
			continue
		}
		m.answers.remove(e)
		m.used -= e.cost()
		e.state, e.evicted, e.answer = claims.Unknown, true, nil
		m.used += e.cost()
		m.evicted.add(e)
	}
	for m.evicted.Used() > m.markers.Left() {
		m.remove(m.evicted.first())
	}
}

// remove deletes an entry from everything.
func (m *Store) remove(e *entry) {
	delete(m.entries, e.call.Key)
	if list := m.evictableOf(e); list != nil {
		list.remove(e)
	} else if e.call.Create {
		m.markers.Add(e.call.Owner, -1)
	}
	m.used -= e.cost()
	if e.state != claims.Running {
		m.ages.pull(byAge, e)
	}
}
