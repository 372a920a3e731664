package admission

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
)

// TestAHundredThousandPlacesFitIntoAHundredMegabytes measures what a request costs by
// standing in line: its place, and the channel that wakes it. No place has a timer or a
// goroutine of its own; the line has one timer. (Each request has a goroutine all the
// same: net/http's, which waits on the channel.)
func TestAHundredThousandPlacesFitIntoAHundredMegabytes(t *testing.T) {
	const places = 100_000
	now := time.Now()
	ln := newQueue(Key{}, limit.Settings{RPM: 60}, now)
	goroutines := runtime.NumGoroutine()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	all := make([]*Ticket, places)
	for i := range all {
		all[i] = &Ticket{}
		all[i].Take(ln, limit.Waiter{Tokens: 100})
		ln.Enter(all[i], now)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / places
	t.Logf("%d bytes for each place in line", each)
	if each*places > 100<<20 {
		t.Errorf("%d bytes, want at most 100 MiB", each*places)
	}
	if got := runtime.NumGoroutine(); got > goroutines {
		t.Errorf("%d goroutines, %d before", got, goroutines)
	}
	ln.scheduler.Load().timer.Stop()
	runtime.KeepAlive(all)
}

// TestACrowdIsWokenOneByOne has 10,000 wait for a limit that one per millisecond passes,
// half of whom leave.
func TestACrowdIsWokenOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crowd = 10_000
		ln := newQueue(Key{}, limit.Settings{RPM: 60_000}, time.Now())
		start := time.Now()
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		var wg sync.WaitGroup
		var mu sync.Mutex
		served, left := 0, 0
		for i := range crowd {
			wg.Go(func() {
				var pl Ticket
				pl.Take(ln, limit.Waiter{})
				waiting := t.Context()
				if i%2 == 1 {
					waiting = ctx
				}
				ln.Enter(&pl, time.Now())
				err := pl.Wait(waiting)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					left++
					return
				}
				served++
				pl.Sent(time.Now(), pl.Turn)
			})
		}
		time.Sleep(time.Second) // the bubble's clock
		leave()
		wg.Wait()
		if served+left != crowd || left < crowd/2-1100 || left > crowd/2 {
			t.Errorf("%d served and %d left of %d", served, left, crowd)
		}
		most := time.Duration(float64(served)/0.98)*time.Millisecond + 10*time.Millisecond
		if got := time.Since(start); got > most {
			t.Errorf("%d took %v, want at most %v", served, got, most)
		}
		if s := ln.scheduler.Load().snapshot(time.Now()); s.Queue != 0 {
			t.Errorf("%d are still in line", s.Queue)
		}
	})
}

// BenchmarkPlace is what one leaving and another joining cost, with the lock and the
// timer, while so many wait, and what memory each of them holds.
func BenchmarkPlace(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting:%d", n), func(b *testing.B) {
			now := time.Now()
			before := heapInUse()
			ln := newQueue(Key{}, limit.Settings{RPM: 1}, now)
			line := make([]Ticket, n+1)
			for i := range line {
				line[i].Take(ln, limit.Waiter{Tokens: 100})
				ln.Enter(&line[i], now)
			}
			each := float64(heapInUse()-before) / float64(n)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i = (i + 7919) % n
				pl := &line[1+i] // the first was let through
				pl.Leave(now)
				pl.Take(ln, limit.Waiter{Tokens: 100})
				ln.Enter(pl, now)
			}
			ln.scheduler.Load().timer.Stop()
			b.ReportMetric(each, "B/waiter")
		})
	}
}

// heapInUse is the memory of what is still referred to.
func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
