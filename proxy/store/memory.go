package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// memory is the Store of one process: it forgets all when the process ends.
type memory struct {
	limits Limits
	secret [32]byte
	began  time.Time // all times are counted from it
	room   Room

	mu      sync.Mutex
	closed  bool
	entries map[Key]*entry
	used    int64 // bytes of all entries, in flight too
	// ages has all entries that are not in flight, the oldest first: all live equally
	// long. Those that can make room are in answers or in spent.
	ages           queue
	answers, spent evictable
	lost           Markers
	reading        map[*entry]int // how many claims have its answer
}

func newMemory(limits Limits, room Room) *memory {
	m := &memory{
		limits: limits, began: time.Now(), room: room,
		entries: make(map[Key]*entry), lost: NewMarkers(limits.Bytes), reading: make(map[*entry]int),
	}
	_, _ = rand.Read(m.secret[:]) // never fails: see its doc
	return m
}

// HashKey implements Store.
func (m *memory) HashKey(context.Context) ([32]byte, error) { return m.secret, nil }

// Largest implements Store.
func (m *memory) Largest() int64 { return m.limits.Largest() }

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
		e, err := m.claim(call, now)
		if err != nil {
			return Claim{}, nil, err
		}
		return Claim{State: Claimed, Since: now, call: call, token: e.run.token}, nil, nil
	}
	if e.call.Print != call.Print {
		return Claim{State: Mismatch}, nil, nil
	}
	found := Claim{State: e.state, Since: m.began.Add(e.since), Status: int(e.status)}
	if share := m.share(e); share != nil {
		share.touch(e)
	}
	switch e.state {
	case Running:
		return found, e.run.ended, nil
	case Done:
		lent, err := m.read(e)
		if err != nil {
			return Claim{}, nil, err
		}
		found.Status, found.Answer = 0, e.unpacked(m.began.Add(e.at))
		return lent.keep(found), nil, nil
	}
	return found, nil, nil
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
func (m *memory) Finish(ctx context.Context, claim Claim, answer *Answer) error {
	if answer.Size() > m.Largest() {
		return cmp.Or(m.Lose(ctx, claim, answer.Status), ErrTooLarge)
	}
	kept := packed(answer)
	return m.end(claim, func(e *entry) error {
		m.become(e, Done, answer.Status, kept)
		return nil
	})
}

// Release implements Store.
func (m *memory) Release(_ context.Context, claim Claim) error {
	return m.end(claim, func(e *entry) error {
		m.forget(e)
		return nil
	})
}

// Lose implements Store.
func (m *memory) Lose(_ context.Context, claim Claim, status int) error {
	return m.end(claim, func(e *entry) error {
		m.lose(e, status)
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
			close(e.run.ended)
		}
	}
	m.entries, m.used = nil, 0
	m.ages, m.answers, m.spent, m.lost = queue{}, evictable{}, evictable{}, Markers{}
	return nil
}
