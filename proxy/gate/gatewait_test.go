package gate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/carrier"
)

func TestWhoWaitsAtSeveralGatesTakesOnePlaceOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := NewGate(testBreaker(), false), NewGate(testBreaker(), false)
		trip(t, first)
		time.Sleep(400 * time.Millisecond)
		trip(t, second) // its probe comes 400 ms after the first one's
		gates := []*Gate{second, first}
		start := time.Now()
		out, err := WaitAt(t.Context(), carrier.Credential{}, gates, start.Add(10*time.Second), false)
		if err != nil || out != first {
			t.Fatalf("got %v, want the gate that opens first", err)
		}
		if took := time.Since(start); took.Round(time.Millisecond) != 600*time.Millisecond {
			t.Errorf("took %s, want 600ms", took)
		}
		if first.Depth() != 0 || second.Depth() != 0 {
			t.Errorf("%d and %d places are left in the lines", first.Depth(), second.Depth())
		}
		if _, err := first.Allow(); err != nil {
			t.Error("the one that was let out may not try")
		}
		first.Stop()
		second.Stop()
	})
}

func TestWhoIsLetOutAndLeavesIsFollowedByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(testBreaker(), false)
		trip(t, g)
		turns := make(chan *Gate, 2)
		head, next := &gateWaiter{turn: turns}, &gateWaiter{turn: turns}
		place := g.join(head, false)
		g.join(next, false)
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait() // for the timer's goroutine
		if !head.out || next.out {
			t.Fatalf("out: %v and %v, want the head alone", head.out, next.out)
		}
		g.leave(place)
		if !next.out {
			t.Error("the turn of one that did not need it is lost")
		}
		g.Stop()
	})
}

// Two gates that let one waiter out at the same moment lose no probe by it.
func TestATurnThatIsNotNeededIsAnothersTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := NewGate(testBreaker(), false), NewGate(testBreaker(), false)
		trip(t, first)
		trip(t, second)
		start := time.Now()
		out := make(chan *Gate, 2)
		for range 2 {
			go func() {
				g, err := WaitAt(t.Context(), carrier.Credential{}, []*Gate{first, second}, start.Add(10*time.Second), false)
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				out <- g
			}()
			synctest.Wait()
		}
		a, b := <-out, <-out
		if a == b {
			t.Error("both were let out at one gate, and nobody at the other")
		}
		if took := time.Since(start); took > 1100*time.Millisecond {
			t.Errorf("took %s: a probe was lost", took)
		}
		first.Stop()
		second.Stop()
	})
}

func TestWaitingAtSeveralGatesEnds(t *testing.T) {
	errGone := errors.New("gone")
	for name, tt := range map[string]struct {
		leave bool
		want  error
	}{"with patience": {false, ErrShut}, "with its caller": {true, errGone}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, second := NewGate(testBreaker(), false), NewGate(testBreaker(), false)
				trip(t, first)
				trip(t, second)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.leave {
					time.AfterFunc(500*time.Millisecond, func() { cancel(errGone) })
				}
				out, err := WaitAt(ctx, carrier.Credential{}, []*Gate{first, second}, time.Now().Add(900*time.Millisecond), false)
				if out != nil || !errors.Is(err, tt.want) {
					t.Errorf("got %v, %v, want %v", out, err, tt.want)
				}
				if first.Depth() != 0 || second.Depth() != 0 {
					t.Errorf("%d and %d places are left in the lines", first.Depth(), second.Depth())
				}
				first.Stop()
				second.Stop()
			})
		})
	}
}

func TestOneAtATimeTriesAGateWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(testBreaker(), false)
		trip(t, g)
		opened := time.Now()
		want := func(at time.Duration, shy, may bool) {
			t.Helper()
			time.Sleep(time.Until(opened.Add(at)))
			if got := g.Try(time.Now(), shy); got != may {
				t.Errorf("at %s, shy %v: %v, want %v", at, shy, got, may)
			}
		}
		want(0, false, false)
		want(999*time.Millisecond, false, false)
		want(1001*time.Millisecond, true, false)
		want(1001*time.Millisecond, false, true)
		want(1002*time.Millisecond, false, false) // somebody does it
		probe, err := g.Allow()
		if err != nil {
			t.Fatal("the one that may try is refused")
		}
		want(1999*time.Millisecond, false, false)
		want(2002*time.Millisecond, false, true) // it is silent: another one
		want(3003*time.Millisecond, false, true)
		want(4004*time.Millisecond, true, false)
		want(5004*time.Millisecond, true, true) // nobody else came by
		probe.Report(classify.Success)
		want(5005*time.Millisecond, true, true)
		if g.Shut() {
			t.Error("the gate is shut with a closed breaker and nobody waiting")
		}
	})
}

// Those that wait in line come first: they have nowhere else to go.
func TestAGateWithALineIsNotTriedPastIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(testBreaker(), false)
		trip(t, g)
		done := make(chan error, 1)
		go func() { done <- g.Wait(t.Context(), carrier.Credential{}, time.Now().Add(time.Minute), false) }()
		synctest.Wait()
		time.Sleep(999 * time.Millisecond)
		if g.Try(time.Now().Add(2*time.Millisecond), false) {
			t.Error("one that came later is let past the line")
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		g.Stop()
	})
}
