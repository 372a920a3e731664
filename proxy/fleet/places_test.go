package fleet

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/admission"
)

// TestPlaces_FourShareEight has calls of a second at an upstream that runs eight at once, which
// all know.
func TestPlaces_FourShareEight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 8
		redis := newLuaRedis(t)
		var all sync.WaitGroup
		var mu sync.Mutex
		running, peak := 0, 0
		start := time.Now()
		for i, n := range []int{24, 10, 5, 1} {
			f := virtual(t, redis)
			defer f.stop()
			s := admission.NewSlots(most, 1000, false)
			defer s.Stop()
			s.Share(f, admission.Account{Payer: [32]byte{1}})
			var own sync.WaitGroup
			for range n {
				own.Go(func() {
					var sl admission.Slot
					if !s.TryTake(&sl) {
						if err := s.Take(t.Context(), &sl, &admission.SlotWaiter{Came: time.Now()}, time.Time{}, false); err != nil {
							t.Error(err)
							return
						}
					}
					mu.Lock()
					running++
					peak = max(peak, running)
					mu.Unlock()
					sl.Sent(time.Now())
					time.Sleep(time.Second)
					mu.Lock()
					running--
					mu.Unlock()
					sl.Give(true)
				})
			}
			all.Go(func() {
				own.Wait()
				t.Log(i, n, "done after", time.Since(start))
			})
		}
		all.Wait()
		took := time.Since(start)
		t.Logf("%v, %.3f of the ideal, %d at most at once, %d scripts", took, took.Seconds()/5, peak, redis.ran())
		if took > 5500*time.Millisecond || peak > most {
			t.Errorf("took %v, %d at once", took, peak)
		}
		time.Sleep(5 * time.Second)
	})
}
