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

// memory is the Store of one process: it forgets all when the process ends.
type Store struct {
	limits claims.Limits
	secret [32]byte
	began  time.Time // all times are counted from it
	room   claims.Room

	mu      sync.Mutex
	closed  bool
	entries map[claims.Key]*entry
	used    int64 // bytes of all entries, in flight too
	// ages has all entries that are not in flight, the oldest first: all live equally
	// long. Those that can make room are in answers or in spent.
	ages           queue
	answers, spent evictable
	lost           quota.Markers
	reading        map[*entry]int // how many claims have its answer
}

func New(limits claims.Limits, room claims.Room) *Store {
	m := &Store{
		limits: limits, began: time.Now(), room: room,
		entries: make(map[claims.Key]*entry), lost: quota.NewMarkers(limits.Bytes), reading: make(map[*entry]int),
	}
	_, _ = rand.Read(m.secret[:]) // never fails: see its doc
	return m
}

// HashKey implements Store.
func (m *Store) HashKey(context.Context) ([32]byte, error) { return m.secret, nil }

// Largest implements Store.
func (m *Store) Largest() int64 { return m.limits.Largest() }

// Begin implements Store.
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
	if share := m.share(e); share != nil {
		share.touch(e)
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

// Wait implements Store.
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

// Finish implements Store.
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

// Release implements Store.
func (m *Store) Release(_ context.Context, claim claims.Claim) error {
	return m.end(claim, func(e *entry) error {
		m.forget(e)
		return nil
	})
}

// Lose implements Store.
func (m *Store) Lose(_ context.Context, claim claims.Claim, status int) error {
	return m.end(claim, func(e *entry) error {
		m.lose(e, status)
		return nil
	})
}

// Close implements Store.
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
	m.ages, m.answers, m.spent, m.lost = queue{}, evictable{}, evictable{}, quota.Markers{}
	return nil
}
