package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"sync"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
)

// Store is the claims.Store of one process.
type Store struct {
	limits claims.Limits
	secret [32]byte
	began  time.Time // times are relative to it
	room   claims.Room

	mu      sync.Mutex
	closed  bool
	entries map[claims.Key]*entry
	used    int64 // bytes of all entries, those in flight included
	// ages has all entries that are not in flight, the oldest first: all have the same TTL.
	// Those that can be evicted are also in answers, or in evicted once they have no answer.
	ages             queue
	answers, evicted evictable
	markers          quota.Markers
	reading          map[*entry]int // how many claims hold its answer
}

// New returns an empty store. Room bounds the memory of answers that are being read.
func New(limits claims.Limits, room claims.Room) *Store {
	m := &Store{
		limits: limits, began: time.Now(), room: room,
		entries: make(map[claims.Key]*entry), markers: quota.NewMarkers(limits.Bytes), reading: make(map[*entry]int),
	}
	_, _ = rand.Read(m.secret[:]) // never fails: see its doc
	return m
}

// HashKey implements claims.Store.
func (m *Store) HashKey(context.Context) ([32]byte, error) { return m.secret, nil }

// Largest implements claims.Store.
func (m *Store) Largest() int64 { return m.limits.Largest() }

// Begin implements claims.Store.
func (m *Store) Begin(ctx context.Context, call claims.Call) (claims.Claim, error) {
	claim, _, err := m.begin(ctx, call)
	return claim, err
}

// begin is Begin that returns, for a call that runs, what is closed at its end.
func (m *Store) begin(ctx context.Context, call claims.Call) (claims.Claim, <-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return claims.Claim{}, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return claims.Claim{}, nil, claims.ErrClosed
	}
	now := time.Now()
	m.expire(now)
	e := m.entries[call.Key]
	if e == nil {
		e, err := m.claim(call, now)
		if err != nil {
			return claims.Claim{}, nil, err
		}
		return claims.Claim{State: claims.Claimed, Since: now, Call: call, Token: e.run.token}, nil, nil
	}
	if e.call.Print != call.Print {
		return claims.Claim{State: claims.Mismatch}, nil, nil
	}
	found := claims.Claim{State: e.state, Since: m.began.Add(e.since), Status: int(e.status)}
	if list := m.evictableOf(e); list != nil {
		list.touch(e)
	}
	switch e.state {
	case claims.Running:
		return found, e.run.ended, nil
	case claims.Done:
		lent, err := m.read(e)
		if err != nil {
			return claims.Claim{}, nil, err
		}
		found.Status, found.Answer = 0, e.unpacked(m.began.Add(e.at))
		return lent.For(found), nil, nil
	}
	return found, nil, nil
}

// Wait implements claims.Store.
func (m *Store) Wait(ctx context.Context, call claims.Call) (claims.Claim, error) {
	for {
		claim, ended, err := m.begin(ctx, call)
		if err != nil || claim.State != claims.Running {
			return claim, err
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return claims.Claim{}, ctx.Err()
		}
	}
}

// Finish implements claims.Store.
func (m *Store) Finish(ctx context.Context, claim claims.Claim, answer *claims.Answer) error {
	if answer.Size() > m.Largest() {
		return cmp.Or(m.Lose(ctx, claim, answer.Status), claims.ErrTooLarge)
	}
	kept := packed(answer)
	return m.end(claim, func(e *entry) error {
		m.become(e, claims.Done, answer.Status, kept)
		return nil
	})
}

// Release implements claims.Store.
func (m *Store) Release(_ context.Context, claim claims.Claim) error {
	return m.end(claim, func(e *entry) error {
		m.remove(e)
		return nil
	})
}

// Lose implements claims.Store.
func (m *Store) Lose(_ context.Context, claim claims.Claim, status int) error {
	return m.end(claim, func(e *entry) error {
		m.lose(e, status)
		return nil
	})
}

// Close implements claims.Store.
func (m *Store) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, e := range m.entries {
		if e.state == claims.Running {
			close(e.run.ended)
		}
	}
	m.entries, m.used = nil, 0
	m.ages, m.answers, m.evicted, m.markers = queue{}, evictable{}, evictable{}, quota.Markers{}
	return nil
}
