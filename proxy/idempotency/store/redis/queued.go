package redis

import (
	"context"
	"errors"

	"outrigger/proxy/idempotency/claims"
)

// update is how a claim ended, or that it is still held, as Redis must be told.
type update struct {
	*claimed
	release bool   // else state
	state   string // as in the scripts: d done, u unknown, r running, m reminder
	status  int
	record  []byte
	tries   int
}

// maxTries is how often a queued update is sent to a Redis that answers with an error. An
// update that Redis never accepts must not keep the store unusable.
const maxTries = 3

// Bounds of the queue of updates: their number, and their bytes as a part of Limits.Bytes.
// An update beyond them is dropped: a create becomes Unknown when its lease expires, a
// compute free.
const (
	maxQueued   = 10_000
	queuedShare = 2
)

// sendUpdate tells Redis how a claim ended.
func (s *Store) sendUpdate(ctx context.Context, u update) (string, error) {
	if u.release {
		reply, err := s.run(ctx, releaseScript, []string{keyOf(u.call.Key)}, timeout, u.token[:])
		if err != nil {
			return "", err
		}
		return reply[0], nil
	}
	return s.put(ctx, u, s.limits.TTL.Milliseconds())
}

// put writes the state of a claim.
func (s *Store) put(ctx context.Context, u update, expiry int64) (string, error) {
	reply, err := s.run(ctx, putScript, []string{keyOf(u.call.Key)}, timeoutFor(int64(len(u.record))),
		u.token[:], u.call.Print[:], bit(u.call.Create), s.lease.Milliseconds(), expiry,
		u.state, u.since.UnixMicro(), u.status, u.record)
	if err != nil {
		return "", err
	}
	return reply[0], nil
}

// queueUpdate keeps an update until Redis is back.
func (s *Store) queueUpdate(u update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := int64(len(u.record))
	if len(s.queued) >= maxQueued || s.queuedBytes+size > s.limits.Bytes/queuedShare || !s.room.Reserve(size) {
		return
	}
	s.queued = append(s.queued, u)
	s.queuedBytes += size
}

// sendQueued sends the queued updates in the order in which they came.
func (s *Store) sendQueued(ctx context.Context) error {
	for {
		s.mu.Lock()
		if len(s.queued) == 0 {
			s.queued = nil
			s.mu.Unlock()
			return nil
		}
		u := s.queued[0]
		s.mu.Unlock()
		_, err := s.sendUpdate(ctx, u)
		full := err != nil && errors.Is(s.classify(err), claims.ErrFull) // Redis accepts it once it has room
		s.mu.Lock()
		s.queued[0].tries++
		if err == nil || !full && s.queued[0].tries >= maxTries {
			s.queued = s.queued[1:]
			s.queuedBytes -= int64(len(u.record))
			s.room.Free(int64(len(u.record)))
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}
