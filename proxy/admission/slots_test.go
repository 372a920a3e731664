package admission

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestASlotThatComesAsItsWaiterLeavesIsNotLost(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			s := NewSlots(1, 10, true)
			var first, second Slot
			if !s.TryTake(&first) {
				t.Fatal("the first slot is not free")
			}
			ctx, leave := context.WithCancel(t.Context())
			waited := make(chan error, 1)
			go func() { waited <- s.Take(ctx, &second, &SlotWaiter{}, time.Time{}, false) }()
			synctest.Wait()
			leave()
			first.Give(true) // as a rule before the waiter is awake
			if <-waited == nil {
				second.Give(true)
			}
			if s.taken != 0 || s.queue.Len() != 0 {
				t.Fatalf("%d slots are taken, %d wait", s.taken, s.queue.Len())
			}
		})
	}
}

func TestSlots_ThoseWhoHadOneComeBackInTheOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := NewSlots(1, 10, false), time.Now()
		var held Slot
		if !s.TryTake(&held) {
			t.Fatal("the slot is not free")
		}
		got := make(chan int, 5)
		var all sync.WaitGroup
		for i, one := range []struct {
			came  int
			again bool
		}{{3, false}, {4, false}, {2, true}, {1, true}, {5, true}} {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				var sl Slot
				if err := s.Take(context.Background(), &sl, &SlotWaiter{Came: start.Add(time.Duration(one.came))}, time.Time{}, one.again); err != nil {
					t.Error(err)
				}
				got <- one.came
				sl.Give(true)
			})
		}
		time.Sleep(10 * time.Second)
		held.Give(true)
		all.Wait()
		for want := 1; want <= 5; want++ {
			if n := <-got; n != want {
				t.Errorf("got %d, want %d", n, want)
			}
		}
	})
}
