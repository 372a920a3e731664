package memory

import (
	"slices"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"
)

// entry is what is known of one call, in as little memory as may be: there are tens of
// thousands. Those in flight are in no queue, so that nothing evicts them.
type entry struct {
	call   claims.Call
	state  claims.State
	spent  bool // Unknown only because its answer made room
	status uint16
	since  time.Duration // after memory.began
	at     time.Duration // when it ended
	run    *run          // while it runs
	answer []byte        // Done: see packed
	places [queues]place
}

// run is what only a call has that runs.
type run struct {
	token claims.Token
	ended chan struct{} // closed when the claim ends
}

// packed is an answer's header and body, in exactly the memory that they need.
func packed(a *claims.Answer) []byte {
	b := record.AppendHeader(make([]byte, 0, int(a.Size())+64), a.Header)
	return slices.Concat(b, a.Body)
}

// unpacked is the answer of an entry that is Done. It shares the entry's body.
func (e *entry) unpacked(stored time.Time) *claims.Answer {
	header, body, _ := record.CutHeader(e.answer) // as packed made it
	return &claims.Answer{Status: int(e.status), Header: header, Body: slices.Clip(body), Stored: stored}
}

// The methods of memory in this file want m.mu held.

// claim enters a call as running, if there is room for it.
func (m *Store) claim(call claims.Call, now time.Time) (*entry, error) {
	if call.Create {
		if err := m.lost.Reserve(call.Owner); err != nil {
			return nil, err
		}
	}
	e := &entry{call: call, state: claims.Running, since: now.Sub(m.began), run: &run{claims.NewToken(), make(chan struct{})}}
	m.entries[call.Key] = e
	m.used += e.cost()
	m.evict()
	return e, nil
}

// end runs f on the entry that the claim is for, and wakes those that wait for it.
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
		m.forget(e)
		return
	}
	m.become(e, claims.Unknown, status, nil)
}

// become ends a call, which is kept for the TTL from now on.
func (m *Store) become(e *entry, state claims.State, status int, answer []byte) {
	if e.call.Create && state == claims.Done {
		m.lost.Add(e.call.Owner, -1)
	}
	m.used -= e.cost()
	e.state, e.status, e.answer = state, uint16(status), answer
	m.used += e.cost()
	m.ages.push(byAge, e)
	if share := m.share(e); share != nil {
		share.add(e)
	}
	m.evict()
}

// share is what an entry is in that can make room, or nil.
func (m *Store) share(e *entry) *evictable {
	switch {
	case e.state == claims.Done:
		return &m.answers
	case e.spent:
		return &m.spent
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

// list is the list in a share that the entry belongs to.
func (e *entry) list() int {
	if e.call.Create {
		return 1
	}
	return 0
}

// expire forgets what has lived its TTL.
func (m *Store) expire(now time.Time) {
	for first := m.ages.first; first != nil && now.Sub(m.began) >= first.at+m.limits.TTL; first = m.ages.first {
		m.forget(first)
	}
}

// evict makes room until all fit. Of an answer to a create is left that there was one,
// while there is room for that beside the markers.
func (m *Store) evict() {
	for m.used > m.limits.Bytes {
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
		e.state, e.spent, e.answer = claims.Unknown, true, nil
		m.used += e.cost()
		m.spent.add(e)
	}
	for m.spent.Used() > m.lost.Left() {
		m.forget(m.spent.first())
	}
}

// forget takes an entry out of everything.
func (m *Store) forget(e *entry) {
	delete(m.entries, e.call.Key)
	if share := m.share(e); share != nil {
		share.remove(e)
	} else if e.call.Create {
		m.lost.Add(e.call.Owner, -1)
	}
	m.used -= e.cost()
	if e.state != claims.Running {
		m.ages.pull(byAge, e)
	}
}
