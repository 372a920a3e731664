package policy_test

import (
	"math"
	"math/rand/v2"
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
	for failedRetry(b, now) {
		n++
	}
	return n
}

// failedRetry makes a retry that fails at once, if the budget has one.
func failedRetry(b *policy.Budget, now time.Time) bool {
	charge, ok := b.Spend(now)
	b.Settle(now, charge, true)
	return ok
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

func TestBudget_SuccessPaysForFailedRetries(t *testing.T) {
	t.Parallel()
	b := policy.NewBudget(0, start)
	for range 10 {
		b.Request(start)
	}
	equal(t, "unpaid", spend(b, start), 10)
	b.Succeeded(start)
	equal(t, "paid by a success", spend(b, start), 8)
	for range 10 {
		b.Succeeded(start)
	}
	equal(t, "success cannot be saved up", spend(b, start), 10)
	for range 10 {
		b.Succeeded(start)
	}
	equal(t, "however much is paid, two for each request and ten more", spend(b, start), 2)
}

func TestBudget_RetriesUnderWayCountUntilAnythingSucceeds(t *testing.T) {
	t.Parallel()
	b := policy.NewBudget(0, start)
	var charges []policy.Charge
	for {
		charge, ok := b.Spend(start)
		if !ok {
			break
		}
		charges = append(charges, charge)
	}
	equal(t, "under way", len(charges), 10)
	b.Settle(start, charges[0], false) // its caller left
	if _, ok := b.Spend(start); !ok {
		t.Error("what a retry that proved nothing had taken is not given back")
	}
	equal(t, "nothing is left", spend(b, start), 0)
	b.Succeeded(start.Add(time.Second))
	equal(t, "those under way when something succeeded do not count", spend(b, start.Add(time.Second)), 10)
	for range 2 { // they fail after all
		b.Settle(start.Add(time.Second), charges[1], true)
	}
	b.Succeeded(start.Add(time.Second))
	b.Succeeded(start.Add(time.Second))
	equal(t, "and count once they have failed", spend(b, start.Add(time.Second)), 0)
}

// TestBudget_IllUpstreamsAreRetriedAsAnSDKWould plays requests with attempts that fail
// independently of the load, eight retries wanted, and compares with two retries each.
func TestBudget_IllUpstreamsAreRetriedAsAnSDKWould(t *testing.T) {
	t.Parallel()
	for _, percent := range []int{10, 30, 50, 70, 80, 90, 95} {
		p := float64(percent) / 100
		for _, every := range []time.Duration{time.Second, 50 * time.Millisecond, 5 * time.Millisecond} {
			b, rand := policy.NewBudget(0.2, start), rand.New(rand.NewPCG(1, uint64(percent)))
			good, calls, requests := 0, 0, 4000
			for i := range requests {
				now := start.Add(time.Duration(i) * every)
				b.Request(now)
				charge := policy.Charge{}
				for range 9 {
					calls++
					failed := rand.Float64() < p
					b.Settle(now, charge, failed)
					if !failed {
						b.Succeeded(now)
						good++
						break
					}
					var ok bool
					if charge, ok = b.Spend(now); !ok {
						break
					}
				}
			}
			success, alone := float64(good)/float64(requests), 1-p*p*p
			t.Logf("p = %.2f, one each %v: success %.3f, alone %.3f; %.2f calls per request", p, every, success, alone, float64(calls)/float64(requests))
			if success < alone-0.01 && p <= 0.9 {
				t.Errorf("p = %.2f, one each %v: success %.3f, want at least %.3f", p, every, success, alone-0.01)
			}
		}
	}
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
			if failedRetry(b, now) {
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
			failedRetry(b, now)
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
				if failedRetry(b, start.Add(50*time.Millisecond)) {
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
				granted := failedRetry(b, now)
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
		charge, _ := b.Spend(now)
		b.Settle(now, charge, true)
		b.Succeeded(now)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
