package store

import (
	"errors"
	"testing"
)

// scarce is a Room with a limit: Left bytes.
type scarce struct{ Left int64 }

func (r *scarce) Reserve(n int64) bool {
	if n > r.Left {
		return false
	}
	r.Left -= n
	return true
}

func (r *scarce) Free(n int64) { r.Left += n }

// readsWithin tests that answers that are read take memory only where there is some. Open
// opens a store of 8 MiB.
func readsWithin(t *testing.T, open func(*testing.T, Room) Store) {
	t.Helper()
	const most = 1 << 20
	room := &scarce{Left: most}
	s := open(t, room)
	large, small, lost := newCall(true), newCall(true), newCall(true)
	if err := errors.Join(
		s.Finish(t.Context(), mustBegin(t, s, large, Claimed), &Answer{Status: 200, Body: make([]byte, 400<<10)}),
		s.Finish(t.Context(), mustBegin(t, s, small, Claimed), created()),
		s.Lose(t.Context(), mustBegin(t, s, lost, Claimed), 504),
	); err != nil {
		t.Fatal(err)
	}
	first, second := mustBegin(t, s, large, Done), mustBegin(t, s, large, Done)
	if used := most - room.Left; used < 800<<10 || used > 810<<10 {
		t.Errorf("%d bytes are taken, want what two answers take", used)
	}
	if claim, err := s.Begin(t.Context(), large); !errors.Is(err, ErrMemory) || !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrFull) {
		t.Errorf("a third got %v, %v, want ErrMemory", claim.State, err)
	}
	mustBegin(t, s, small, Done).Free()
	mustBegin(t, s, lost, Unknown).Free()
	other := large
	other.Print[0]++
	first.Free()
	first.Free()
	mustBegin(t, s, other, Mismatch)
	mustBegin(t, s, large, Done).Free()
	second.Free()
	if room.Left != most {
		t.Errorf("%d bytes were not given back", most-room.Left)
	}
}

// unbounded is a Room without a limit.
type unbounded struct{}

// Reserve implements Room.
func (unbounded) Reserve(int64) bool { return true }

// Free implements Room.
func (unbounded) Free(int64) {}
