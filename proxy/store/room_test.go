package store

import (
	"errors"
	"testing"
	"time"

	"outrigger/test/redisserver"
)

// scarce is a Room with a limit.
type scarce struct{ left int64 }

func (r *scarce) Reserve(n int64) bool {
	if n > r.left {
		return false
	}
	r.left -= n
	return true
}

func (r *scarce) Free(n int64) { r.left += n }

// An answer in memory is there once, however many are given it.
func TestAnAnswerInMemoryCountsWhileItIsGiven(t *testing.T) {
	room := &scarce{100 << 10}
	s := newMemory(Config{TTL: time.Hour, Bytes: 256 << 10})
	s.room = room
	call, other := callOf(1, true), callOf(1, true)
	finish(t, s, call, 20<<10)
	finish(t, s, other, 20<<10)
	before := room.left
	first, second := mustBegin(t, s, call, Done), mustBegin(t, s, call, Done)
	if taken := before - room.left; taken < 20<<10 || taken > 21<<10 {
		t.Errorf("%d bytes are taken, want those of one answer", taken)
	}
	for range 40 { // it makes room
		finish(t, s, callOf(1, true), 20<<10)
	}
	mustBegin(t, s, call, Unknown)
	first.Free()
	first.Free()
	if room.left == before {
		t.Error("it is given back while it is read")
	}
	if len(second.Answer.Body) != 20<<10 {
		t.Error("it is gone while it is read")
	}
	second.Free()
	if room.left != before || len(s.reading) != 0 {
		t.Errorf("%d bytes were not given back", before-room.left)
	}
	room.left = 1 << 10
	last := callOf(2, false)
	finish(t, s, last, 20<<10)
	if claim, err := s.Begin(t.Context(), last); !errors.Is(err, ErrMemory) {
		t.Errorf("got %v, %v, want ErrMemory", claim.State, err)
	}
	mustBegin(t, s, call, Unknown)
}

func TestAnswersThatAreReadTakeMemoryOnlyWhereThereIsSome(t *testing.T) {
	for name, open := range map[string]func(*testing.T, Room) Store{
		"file": func(t *testing.T, room Room) Store {
			s := openAt(t, newPath(t), Config{TTL: time.Hour, Bytes: 8 << 20})
			s.room = room
			return s
		},
		"redis": func(t *testing.T, room Room) Store {
			s := openShared(t, redisserver.Start(t).Addr, Config{TTL: time.Hour, Bytes: 8 << 20})
			s.room = room
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			const most = 1 << 20
			room := &scarce{most}
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
			if used := most - room.left; used < 800<<10 || used > 810<<10 {
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
			if room.left != most {
				t.Errorf("%d bytes were not given back", most-room.left)
			}
		})
	}
}
