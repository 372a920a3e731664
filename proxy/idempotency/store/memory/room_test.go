package memory

import (
	"errors"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/storetest"
)

// An answer is in memory once, however many callers read it.
func TestMemoryCountsAnAnswerOnceWhileItIsRead(t *testing.T) {
	room := &storetest.Scarce{Left: 100 << 10}
	s := New(claims.Limits{TTL: time.Hour, Bytes: 256 << 10}, room)
	call, other := storetest.CallOf(1, true), storetest.CallOf(1, true)
	storetest.Finish(t, s, call, 20<<10)
	storetest.Finish(t, s, other, 20<<10)
	before := room.Left
	first, second := storetest.MustBegin(t, s, call, claims.Done), storetest.MustBegin(t, s, call, claims.Done)
	if taken := before - room.Left; taken < 20<<10 || taken > 21<<10 {
		t.Errorf("%d bytes are taken, want those of one answer", taken)
	}
	for range 40 { // it makes room
		storetest.Finish(t, s, storetest.CallOf(1, true), 20<<10)
	}
	storetest.MustBegin(t, s, call, claims.Unknown)
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
	last := storetest.CallOf(2, false)
	storetest.Finish(t, s, last, 20<<10)
	if claim, err := s.Begin(t.Context(), last); !errors.Is(err, claims.ErrMemory) {
		t.Errorf("got %v, %v, want ErrMemory", claim.State, err)
	}
	storetest.MustBegin(t, s, call, claims.Unknown)
}
