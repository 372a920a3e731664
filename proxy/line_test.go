package proxy

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
	ln := newLine(limit.Settings{RPM: 60}, now)
	goroutines := runtime.NumGoroutine()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	all := make([]*place, places)
	for i := range all {
		all[i] = &place{}
		all[i].take(ln, limit.Waiter{Tokens: 100})
		ln.enter(all[i], now)
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
	ln.timer.Stop()
	runtime.KeepAlive(all)
}

// TestACrowdIsWokenOneByOne has 10,000 wait for a limit that one per millisecond passes,
// half of whom leave.
func TestACrowdIsWokenOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crowd = 10_000
		ln := newLine(limit.Settings{RPM: 60_000}, time.Now())
		start := time.Now()
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		var wg sync.WaitGroup
		var mu sync.Mutex
		served, left := 0, 0
		for i := range crowd {
			wg.Go(func() {
				var pl place
				pl.take(ln, limit.Waiter{})
				waiting := t.Context()
				if i%2 == 1 {
					waiting = ctx
				}
				ln.enter(&pl, time.Now())
				err := pl.wait(waiting)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					left++
					return
				}
				served++
				pl.sent(time.Now(), pl.turn)
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
		if s := ln.limiter.Snapshot(time.Now()); s.Queue != 0 {
			t.Errorf("%d are still in line", s.Queue)
		}
	})
}

// BenchmarkPlace is what one leaving and another joining cost, with the lock and the
// timer, while so many wait.
func BenchmarkPlace(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("waiting:%d", n), func(b *testing.B) {
			now := time.Now()
			ln := newLine(limit.Settings{RPM: 1}, now)
			line := make([]place, n+1)
			for i := range line {
				line[i].take(ln, limit.Waiter{Tokens: 100})
				ln.enter(&line[i], now)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i = (i + 7919) % n
				pl := &line[1+i] // the first was let through
				pl.leave(now)
				pl.take(ln, limit.Waiter{Tokens: 100})
				ln.enter(pl, now)
			}
			ln.timer.Stop()
		})
	}
}
