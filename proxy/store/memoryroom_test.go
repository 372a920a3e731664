package store

import (
	"errors"
	"testing"
	"time"
)

// An answer in memory is there once, however many are given it.
func TestAnAnswerInMemoryCountsWhileItIsGiven(t *testing.T) {
	room := &scarce{Left: 100 << 10}
	s := newMemory(Limits{TTL: time.Hour, Bytes: 256 << 10}, room)
	call, other := callOf(1, true), callOf(1, true)
	finish(t, s, call, 20<<10)
	finish(t, s, other, 20<<10)
	before := room.Left
	first, second := mustBegin(t, s, call, Done), mustBegin(t, s, call, Done)
	if taken := before - room.Left; taken < 20<<10 || taken > 21<<10 {
		t.Errorf("%d bytes are taken, want those of one answer", taken)
	}
	for range 40 { // it makes room
		finish(t, s, callOf(1, true), 20<<10)
	}
	mustBegin(t, s, call, Unknown)
	first.Free()
	first.Free()
	if room.Left == before {
		t.Error("it is given back while it is read")
	}
	if len(second.Answer.Body) != 20<<10 {
		t.Error("it is gone while it is read")
	}
	second.Free()
	if room.Left != before || len(s.reading) != 0 {
		t.Errorf("%d bytes were not given back", before-room.Left)
	}
	room.Left = 1 << 10
	last := callOf(2, false)
	finish(t, s, last, 20<<10)
	if claim, err := s.Begin(t.Context(), last); !errors.Is(err, ErrMemory) {
		t.Errorf("got %v, %v, want ErrMemory", claim.State, err)
	}
	mustBegin(t, s, call, Unknown)
}
