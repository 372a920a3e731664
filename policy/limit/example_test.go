package limit_test

import (
	"fmt"
	"time"

	"outrigger/policy/limit"
)

// With 60 requests per minute the first request goes at once and the second one about a
// second later. The caller owns the clock, and waits for as long as Release says.
func ExampleLimiter() {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	limiter := limit.New(limit.Settings{RPM: 60}, now)
	for range 2 {
		d := limiter.Enter(now, &limit.Waiter{Deadline: now.Add(time.Minute)})
		fmt.Println(d.Reason, d.Wait.Round(10*time.Millisecond))
	}
	at := limiter.Release(now, func(*limit.Waiter) {})
	limiter.Release(at, func(*limit.Waiter) { fmt.Println("admitted after", at.Sub(now).Round(10*time.Millisecond)) })
	// Output:
	// admitted 0s
	// queued 1s
	// admitted after 1s
}
