package fleet

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/concurrency"
	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/carrier"
)

// TestPlaces_OfALearnedLimitAreShared has calls of a second at an upstream that runs eight at
// once, and refuses more by a name.
func TestPlaces_OfALearnedLimitAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 8
		redis := newLuaRedis(t)
		var all sync.WaitGroup
		var mu sync.Mutex
		running, refused := 0, 0
		start := time.Now()
		key := admission.Key{Credential: carrier.Credential{1}, Model: "m"}
		for i, n := range []int{48, 20, 10, 2} {
			f := virtual(t, redis)
			defer f.stop()
			ls := admission.NewQueues(limit.Settings{Learn: true, QueueMax: 1000})
			ls.Concurrency, ls.Fleet = true, f
			first := ls.Take(key, true, start)
			first.Identify([32]byte{1}, start)
			ls.Prove(first, start)
			defer first.Slots.Stop()
			var own sync.WaitGroup
			for range n {
				own.Go(func() {
					var pl admission.Ticket
					q := ls.Take(key, true, time.Now())
					pl.Take(q, limit.Waiter{Tokens: 1})
					pl.Taken = true
					came, again := time.Now(), false
					var sl admission.Slot
					for done := false; !done; {
						for {
							if !pl.Queued && !pl.Admitted() {
								q.Enter(&pl, time.Now())
							}
							if err := pl.Wait(context.Background()); err != nil {
								t.Error(err)
							}
							if sl.Of != nil || q.Slots.TryTake(&sl) {
								break
							}
							pl.Leave(time.Now())
							if err := q.Slots.Take(context.Background(), &sl, &admission.SlotWaiter{Came: came}, time.Time{}, again); err != nil {
								t.Error(err)
							}
						}
						time.Sleep(time.Millisecond)
						sl.Sent(time.Now())
						pl.Sent(time.Now(), pl.Turn)
						mu.Lock()
						ok := running < most
						if ok {
							running++
						} else {
							refused++
						}
						mu.Unlock()
						if ok {
							time.Sleep(time.Second)
							mu.Lock()
							running--
							mu.Unlock()
							sl.Give(true)
							pl.Answered(time.Now(), limit.Told{})
							done = true
							continue
						}
						time.Sleep(3 * time.Millisecond)
						sl.Refused(time.Now(), concurrency.Named, 0)
						sl.Give(false)
						again = true
						pl.Rejected(time.Now())
					}
				})
			}
			all.Go(func() {
				own.Wait()
				t.Log(i, n, "done after", time.Since(start))
			})
		}
		all.Wait()
		took := time.Since(start)
		t.Logf("%v, %.3f of the ideal, %d refused, %d scripts", took, took.Seconds()/10, refused, redis.ran())
		if took > 11*time.Second || refused > 60 {
			t.Errorf("took %v, %d refused", took, refused)
		}
		time.Sleep(5 * time.Second)
	})
}
