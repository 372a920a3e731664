package policy_test

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
)

// spend takes as many retries as there are, and returns how many.
func spend(b *policy.Budget, now time.Time) int {
	n := 0
	for b.Spend(now) {
		n++
	}
	return n
}

func TestBudget_TellsItsStory(t *testing.T) {
	t.Parallel()
	b := policy.NewBudget(0.2, start)
	equal(t, "retries of an idle app", spend(b, start), 10)

	for range 14 {
		b.Request(start)
	}
	equal(t, "a fifth of 14 requests is not yet three", spend(b, start), 2)
	b.Request(start)
	equal(t, "a fifth of 15 is", spend(b, start), 1)

	// The requests leave the window after ten seconds. What was spent leaves with
	// the tick after, so that no ten seconds ever hold too much.
	equal(t, "just before the window's end", spend(b, start.Add(10*time.Second-1)), 0)
	equal(t, "at its end", spend(b, start.Add(10*time.Second)), 0)
	equal(t, "a tick later", spend(b, start.Add(10*time.Second+100*time.Millisecond)), 10)
}

func TestBudget_RequestsOutsideTheWindowEarnNothing(t *testing.T) {
	t.Parallel()
	b := policy.NewBudget(0.5, start)
	for range 100 {
		b.Request(start)
	}
	equal(t, "ten seconds later", spend(b, start.Add(10*time.Second)), 10)

	b = policy.NewBudget(0.5, start)
	for range 100 {
		b.Request(start)
	}
	equal(t, "within ten seconds", spend(b, start.Add(9900*time.Millisecond)), 60)
}

func TestBudget_RequestsThatWaitCountUntilTheyBegin(t *testing.T) {
	t.Parallel()
	b := policy.NewBudget(0.2, start)
	for range 50 {
		b.Enter()
	}
	equal(t, "a fifth of 50 that wait", spend(b, start), 20)
	for range 50 {
		b.Leave()
		b.Request(start)
	}
	equal(t, "the same 50, begun", spend(b, start), 0)

	later := start.Add(time.Minute)
	b.Enter()
	b.Leave()
	b.Leave() // one too many takes nothing from others
	equal(t, "nobody waits any more", spend(b, later), 10)
}

func TestBudget_AnOutageThatLastsLeavesEnoughForThoseItMet(t *testing.T) {
	t.Parallel()
	// 50 requests a second. The upstream hangs at 7 s; those begun until 9.2 s fail,
	// all others wait, and all that failed start again when it is back.
	for _, back := range []time.Duration{11 * time.Second, 12 * time.Second, 13 * time.Second, 17 * time.Second} {
		b, failed, waited := policy.NewBudget(0.2, start), 0, 0
		for at := time.Duration(0); at < back; at += 20 * time.Millisecond {
			if at >= 9200*time.Millisecond {
				b.Enter()
				waited++
				continue
			}
			b.Request(start.Add(at))
			if at >= 7*time.Second {
				failed++
			}
		}
		if got := spend(b, start.Add(back)); got < failed*85/100 {
			t.Errorf("back after %s, with %d that wait: %d of %d may be repeated", back, waited, got, failed)
		}
	}
}

func TestBudget_AnOutageIsNotMultiplied(t *testing.T) {
	t.Parallel()
	// 100 requests a second for a minute, of which every one wants four retries.
	b := policy.NewBudget(0.2, start)
	retries := 0
	for i := range 6000 {
		now := start.Add(time.Duration(i) * 10 * time.Millisecond)
		b.Request(now)
		for range 4 {
			if b.Spend(now) {
				retries++
			}
		}
	}
	// A fifth of 6000, ten for each of the six windows, and no more; the edges of
	// the window cost a tick's worth in each.
	if limit := 1200 + 60; retries > limit || retries < limit*97/100 {
		t.Errorf("%d retries for 6000 requests, want at most %d and nearly that", retries, limit)
	}
}

func TestBudget_CountsWholeRetriesExactly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ratio    float64
		requests int
		want     int
	}{
		{0.29, 100, 39},
		{0.1, 30, 13},
		{0.2, 4, 10},
		{1, 7, 17},
		{2.5, 3, 17},
		{1.001, 1000, 1011},
		{0, 1000, 10},
		{-1, 1000, 10},
		{math.NaN(), 1000, 10},
		{math.Inf(1), 2, 2010},
	} {
		b := policy.NewBudget(tt.ratio, start)
		for range tt.requests {
			b.Request(start)
		}
		if got := spend(b, start); got != tt.want {
			t.Errorf("%v of %d requests: %d retries, want %d", tt.ratio, tt.requests, got, tt.want)
		}
	}
}

func TestBudget_ForgetsAllAfterAPause(t *testing.T) {
	t.Parallel()
	for tick := range 101 {
		b, now := policy.NewBudget(1, start), start
		for range 101 {
			now = now.Add(100 * time.Millisecond)
			b.Request(now)
			b.Spend(now)
		}
		now = now.Add(10*time.Second + time.Duration(tick+1)*100*time.Millisecond)
		equal(t, "after a pause", spend(b, now), 10)
	}
}

func TestBudget_TimeDoesNotGoBack(t *testing.T) {
	t.Parallel()
	b := policy.NewBudget(0, start)
	now := start.Add(time.Minute)
	equal(t, "now", spend(b, now), 10)
	equal(t, "before", spend(b, start.Add(-time.Hour)), 0)
	equal(t, "now again", spend(b, now), 0)
	equal(t, "after a year", spend(b, now.AddDate(1, 0, 0)), 10)
}

func TestBudget_IsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	b := policy.NewBudget(0.2, start)
	var (
		wg      sync.WaitGroup
		granted atomic.Int64
	)
	for i := range 50 {
		wg.Go(func() {
			now := start.Add(time.Duration(i) * time.Millisecond)
			for range 10 {
				b.Request(now)
			}
		})
	}
	wg.Wait()
	for range 50 {
		wg.Go(func() {
			for range 10 {
				if b.Spend(start.Add(50 * time.Millisecond)) {
					granted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	equal(t, "granted of 500 asked", granted.Load(), 110)
}

// TestBudget_HoldsInEveryWindow compares with the plain rule over exact times: no
// retry is granted that breaks it, and none is refused that a window shifted by
// one tick would permit.
func TestBudget_HoldsInEveryWindow(t *testing.T) {
	t.Parallel()
	const window, tick = 10 * time.Second, 100 * time.Millisecond
	rapid.Check(t, func(t *rapid.T) {
		percent := rapid.IntRange(0, 150).Draw(t, "percent")
		b := policy.NewBudget(float64(percent)/100, start)
		var requests, retries []time.Time
		within := func(times []time.Time, now time.Time, d time.Duration) int {
			n := 0
			for _, at := range times {
				if now.Sub(at) < d {
					n++
				}
			}
			return n
		}
		now := start
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "pause")) * time.Millisecond)
			for range rapid.IntRange(0, 8).Draw(t, "requests") {
				b.Request(now)
				requests = append(requests, now)
			}
			for range rapid.IntRange(0, 8).Draw(t, "retries") {
				granted := b.Spend(now)
				least := 10 + within(requests, now, window-tick)*percent/100
				most := 10 + within(requests, now, window)*percent/100
				switch {
				case granted && within(retries, now, window)+1 > most:
					t.Fatalf("at %v: granted retry %d of %d", now.Sub(start), within(retries, now, window)+1, most)
				case !granted && within(retries, now, window+tick)+1 <= least:
					t.Fatalf("at %v: refused retry %d of %d", now.Sub(start), within(retries, now, window+tick)+1, least)
				case granted:
					retries = append(retries, now)
				}
			}
		}
	})
}

func TestBudget_DoesNotAllocate(t *testing.T) {
	b := policy.NewBudget(0.2, start)
	now := start
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(37 * time.Millisecond)
		b.Request(now)
		b.Spend(now)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
