package store

import (
	"container/list"
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// memory is the Store of one process: it forgets all when the process ends.
type memory struct {
	config Config
	secret [32]byte

	mu      sync.Mutex
	closed  bool
	entries map[Key]*entry
	used    int64 // bytes of all entries, in flight too
	// ages has all entries that are not in flight, the oldest first: all live equally
	// long. Those with an answer are in answers too, the others in markers.
	ages             list.List
	answers, markers shares
}

// entry is what is known of one call. Those in flight are in no list, so that
// nothing evicts them.
type entry struct {
	call   Call
	state  State
	answer *Answer
	since  time.Time
	status int
	token  token

	ended    chan struct{} // closed when the claim ends
	expires  time.Time
	age, use *list.Element
	held     *shares // that it is in
}

// overhead is what an entry counts for besides its answer, in bytes: about twice
// what it takes, so that a bound in bytes is one of entries too.
const overhead = 1 << 10

// marker is what a create counts for of which only that it may have been done is kept,
// in bytes: about what it takes. Markers have a markerShare-th part of Config.Bytes to
// themselves: 32,768 of them in the default 64 MiB.
const (
	marker      = 1 << 9
	markerShare = 4
)

func newMemory(c Config) *memory {
	m := &memory{config: c, entries: make(map[Key]*entry)}
	_, _ = rand.Read(m.secret[:]) // never fails: see its doc
	return m
}

// HashKey implements Store.
func (m *memory) HashKey(context.Context) ([32]byte, error) { return m.secret, nil }

// Largest implements Store.
func (m *memory) Largest() int64 { return m.config.Largest() }

// Begin implements Store.
func (m *memory) Begin(ctx context.Context, call Call) (Claim, error) {
	claim, _, err := m.begin(ctx, call)
	return claim, err
}

// begin is Begin that returns, for a call that runs, what is closed at its end.
func (m *memory) begin(ctx context.Context, call Call) (Claim, <-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return Claim{}, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Claim{}, nil, ErrClosed
	}
	now := time.Now()
	m.expire(now)
	e := m.entries[call.Key]
	if e == nil {
		e = m.claim(call, now)
		return Claim{State: Claimed, Since: now, call: call, token: e.token}, nil, nil
	}
	if e.call.Print != call.Print {
		return Claim{State: Mismatch}, nil, nil
	}
	if e.use != nil {
		e.held.touch(e)
	}
	return Claim{State: e.state, Answer: e.answer, Since: e.since, Status: e.status}, e.ended, nil
}

// Wait implements Store.
func (m *memory) Wait(ctx context.Context, call Call) (Claim, error) {
	for {
		claim, ended, err := m.begin(ctx, call)
		if err != nil || claim.State != Running {
			return claim, err
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return Claim{}, ctx.Err()
		}
	}
}

// Finish implements Store.
func (m *memory) Finish(_ context.Context, claim Claim, answer *Answer) error {
	return m.end(claim, func(e *entry, now time.Time) error {
		if answer.Size() > m.Largest() {
			m.lose(e, answer.Status, now)
			return ErrTooLarge
		}
		stored := *answer
		stored.Stored = now
		m.used -= e.cost()
		e.state, e.answer = Done, &stored
		m.used += e.cost()
		m.keep(e, now)
		return nil
	})
}

// Release implements Store.
func (m *memory) Release(_ context.Context, claim Claim) error {
	return m.end(claim, func(e *entry, _ time.Time) error {
		m.forget(e)
		return nil
	})
}

// Lose implements Store.
func (m *memory) Lose(_ context.Context, claim Claim, status int) error {
	return m.end(claim, func(e *entry, now time.Time) error {
		m.lose(e, status, now)
		return nil
	})
}

// Close implements Store.
func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, e := range m.entries {
		if e.state == Running {
			close(e.ended)
		}
	}
	m.entries, m.used = nil, 0
	m.ages.Init()
	m.answers, m.markers = shares{}, shares{}
	return nil
}
