package storetest

import (
	"errors"
	"testing"

	"outrigger/proxy/idempotency/claims"
)

// Scarce is a claims.Room of Left bytes. It is not safe for concurrent use.
type Scarce struct{ Left int64 }

// Reserve implements claims.Room.
func (r *Scarce) Reserve(n int64) bool {
	if n > r.Left {
		return false
	}
	r.Left -= n
	return true
}

// Free implements claims.Room.
func (r *Scarce) Free(n int64) { r.Left += n }

// ReadsWithin tests that answers are read only while there is memory for them. Open opens a
// store of 8 MiB.
func ReadsWithin(t *testing.T, open func(*testing.T, claims.Room) claims.Store) {
	t.Helper()
	const most = 1 << 20
	room := &Scarce{Left: most}
	s := open(t, room)
	large, small, lost := NewCall(true), NewCall(true), NewCall(true)
	if err := errors.Join(
		s.Finish(t.Context(), MustBegin(t, s, large, claims.Claimed), &claims.Answer{Status: 200, Body: make([]byte, 400<<10)}),
		s.Finish(t.Context(), MustBegin(t, s, small, claims.Claimed), Created()),
		s.Lose(t.Context(), MustBegin(t, s, lost, claims.Claimed), 504),
	); err != nil {
		t.Fatal(err)
	}
	first, second := MustBegin(t, s, large, claims.Done), MustBegin(t, s, large, claims.Done)
	if used := most - room.Left; used < 800<<10 || used > 810<<10 {
		t.Errorf("%d bytes are taken, want what two answers take", used)
	}
	if claim, err := s.Begin(t.Context(), large); !errors.Is(err, claims.ErrMemory) || !errors.Is(err, claims.ErrUnavailable) || errors.Is(err, claims.ErrFull) {
		t.Errorf("a third got %v, %v, want ErrMemory", claim.State, err)
	}
	MustBegin(t, s, small, claims.Done).Free()
	MustBegin(t, s, lost, claims.Unknown).Free()
	other := large
	other.Print[0]++
	first.Free()
	first.Free()
	MustBegin(t, s, other, claims.Mismatch)
	MustBegin(t, s, large, claims.Done).Free()
	second.Free()
	if room.Left != most {
		t.Errorf("%d bytes were not given back", most-room.Left)
	}
}

// Unbounded is a claims.Room without a limit.
type Unbounded struct{}

// Reserve implements claims.Room.
func (Unbounded) Reserve(int64) bool { return true }

// Free implements claims.Room.
func (Unbounded) Free(int64) {}
