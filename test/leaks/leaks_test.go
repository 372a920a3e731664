package leaks

import (
	"testing"
	"time"
)

// tests stand in for a test binary's.
type tests func() int

func (t tests) Run() int { return t() }

func TestWhatIsLeftFailsTheRun(t *testing.T) {
	stop := make(chan struct{})
	leaking := func() int {
		go func() { <-stop }()
		return 0
	}
	if code := run(tests(leaking), 0); code != 1 {
		t.Errorf("status %d with a goroutine left", code)
	}
	close(stop)
}

func TestWhatEndsInTimeIsNoLeak(t *testing.T) {
	slow := func() int {
		go func() { <-time.After(time.Second) }() // more than goleak waits
		return 0
	}
	if code := run(tests(slow), patience); code != 0 {
		t.Errorf("status %d with a goroutine that ends", code)
	}
}

func TestAFailedTestIsNotLookedBehind(t *testing.T) {
	if code := run(tests(func() int { return 3 }), patience); code != 3 {
		t.Errorf("status %d, want the tests' 3", code)
	}
}
