package admission

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
)

func TestSlots_ARaisedBoundLetsThoseWhoWaitGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1, 10, true)
		var held, waits Slot
		if !s.TryTake(&held) {
			t.Fatal("the slot is not free")
		}
		got := make(chan error, 1)
		go func() { got <- s.Take(context.Background(), &waits, &SlotWaiter{}, time.Time{}, false) }()
		synctest.Wait()
		s.Configure(2, 10, true)
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		s.Configure(0, 10, false) // nobody is counted any more
		var third Slot
		if !s.TryTake(&third) || third.Of != nil {
			t.Error("one has to be counted")
		}
		held.Give(true)
		waits.Give(true)
		if !s.Idle() {
			t.Errorf("%d slots are taken", s.taken)
		}
	})
}

// A configured limit is for each credential and model, also for those that were found to share
// an account.
func TestQueues_ThatShareAnAccountPartWhenALimitIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		ls := NewQueues(limit.Settings{Learn: true})
		var said []string
		ls.SharedQuotas = NewSharedQuotas(func(message string, _ []slog.Attr) { said = append(said, message) }, func() string { return "openai" }, now)
		a, b := ls.Of(Key{Model: "a"}, now), ls.Of(Key{Model: "b"}, now)
		ls.SharedQuotas.moving.Lock()
		a.scheduler.Load().absorb(b.scheduler.Load(), now)
		ls.SharedQuotas.moving.Unlock()
		if a.scheduler.Load() != b.scheduler.Load() {
			t.Fatal("they do not share")
		}
		ls.Configure(limit.Settings{Learn: true, RPM: 60}, true, QueueRoom, now)
		if a.scheduler.Load() == b.scheduler.Load() || len(said) != 1 {
			t.Errorf("they still share, and said %v", said)
		}
		for _, ln := range []*Queue{a, b} {
			if got := ln.scheduler.Load().snapshot(now).Buckets; len(got) != 1 || got[0].Limit != 60 {
				t.Errorf("a limiter knows %+v", got)
			}
		}
		if id := ls.SharedQuotas.Sent(a, now); id != 0 {
			t.Error("what is sent is still watched")
		}
		ls.Configure(limit.Settings{Learn: true}, true, QueueRoom, now)
		if id := ls.SharedQuotas.Sent(a, now); id == 0 {
			t.Error("what is sent is not watched again")
		}
	})
}
