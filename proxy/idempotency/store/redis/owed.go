package redis

import (
	"context"
	"errors"

	"outrigger/proxy/idempotency/claims"
)

// debt is the end of a claim that Redis has to be told of.
type debt struct {
	*claimed
	release bool   // else state
	state   string // d or u
	status  int
	record  []byte
	tries   int
}

// triesMost is how often a debt is offered to a Redis that answers otherwise: one that
// it never takes in time must not keep it from being used.
const triesMost = 3

// Bounds of what is owed, in number and as a part of Config.Bytes. What is over them
// is not told: a create becomes unknown when its lease is over, a compute free.
const (
	owedMost  = 10_000
	owedShare = 2
)

// settleDebt tells Redis of the end of a claim.
func (s *Store) settleDebt(ctx context.Context, d debt) (string, error) {
	if d.release {
		reply, err := s.run(ctx, releaseScript, []string{keyOf(d.call.Key)}, timeout, d.token[:])
		if err != nil {
			return "", err
		}
		return reply[0], nil
	}
	return s.put(ctx, d, s.limits.TTL.Milliseconds())
}

// put writes what a claim has come to.
func (s *Store) put(ctx context.Context, d debt, expiry int64) (string, error) {
	reply, err := s.run(ctx, putScript, []string{keyOf(d.call.Key)}, timeoutFor(int64(len(d.record))),
		d.token[:], d.call.Print[:], bit(d.call.Create), s.lease.Milliseconds(), expiry,
		d.state, d.since.UnixMicro(), d.status, d.record)
	if err != nil {
		return "", err
	}
	return reply[0], nil
}

// owe notes what Redis has to be told when it is back.
func (s *Store) owe(d debt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := int64(len(d.record))
	if len(s.owed) >= owedMost || s.owing+size > s.limits.Bytes/owedShare || !s.room.Reserve(size) {
		return
	}
	s.owed = append(s.owed, d)
	s.owing += size
}

// pay tells Redis what it is owed, in the order in which it came about.
func (s *Store) pay(ctx context.Context) error {
	for {
		s.mu.Lock()
		if len(s.owed) == 0 {
			s.owed = nil
			s.mu.Unlock()
			return nil
		}
		d := s.owed[0]
		s.mu.Unlock()
		_, err := s.settleDebt(ctx, d)
		full := err != nil && errors.Is(s.fault(err), claims.ErrFull) // it will take it when there is room
		s.mu.Lock()
		s.owed[0].tries++
		if err == nil || !full && s.owed[0].tries >= triesMost {
			s.owed = s.owed[1:]
			s.owing -= int64(len(d.record))
			s.room.Free(int64(len(d.record)))
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}
