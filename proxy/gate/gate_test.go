package gate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/carrier"
)

func testBreaker() policy.BreakerConfig {
	c := DefaultConfig().Breaker
	c.Consecutive = 10
	return c
}

// trip opens g by failures in a row.
func trip(t *testing.T, g *Gate) {
	t.Helper()
	for range testBreaker().Consecutive {
		p, err := g.Allow()
		if err != nil {
			t.Fatalf("closed gate refuses: %v", err)
		}
		p.Report(classify.Fault)
	}
	if _, err := g.Allow(); !errors.Is(err, ErrShut) {
		t.Fatal("the gate is still open to attempts after ten failures in a row")
	}
}

func TestWaitersAtAnOpenGateAreLetOutByAProbeAndThenARamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(testBreaker(), false)
		trip(t, g)
		start, done := time.Now(), make(chan time.Duration, 200)
		for range 200 {
			go func() {
				for {
					if err := g.Wait(t.Context(), carrier.Credential{}, start.Add(10*time.Second), false); err != nil {
						t.Errorf("waiter refused: %v", err)
						break
					}
					p, err := g.Allow()
					if err == nil {
						p.Report(classify.Success)
						break
					}
				}
				done <- time.Since(start)
			}()
		}
		var first, last time.Duration
		for i := range 200 {
			d := <-done
			if i == 0 {
				first = d
			}
			last = max(last, d)
		}
		if first < time.Second || first > 1100*time.Millisecond {
			t.Errorf("the probe went after %s, want one open period", first)
		}
		if spread := last - first; spread < 300*time.Millisecond || spread > 700*time.Millisecond {
			t.Errorf("all were out %s after the probe, want a ramp of some 500ms", spread)
		}
		if g.Shut() {
			t.Error("the gate is still shut with nobody waiting")
		}
		g.Stop()
	})
}

func TestASilentProbeDoesNotHoldUpTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(testBreaker(), false)
		trip(t, g)
		until := time.Now().Add(10 * time.Second)
		var let []time.Duration
		start := time.Now()
		for range 3 { // none of them ever reports
			if err := g.Wait(t.Context(), carrier.Credential{}, until, false); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Allow(); err != nil {
				t.Fatalf("probe %d refused", len(let)+1)
			}
			let = append(let, time.Since(start).Round(10*time.Millisecond))
		}
		want := []time.Duration{time.Second, 2 * time.Second, 2500 * time.Millisecond}
		for i := range want {
			if let[i] != want[i] {
				t.Fatalf("probes at %v, want %v", let, want)
			}
		}
		g.Stop()
	})
}

func TestPatienceAtAnOpenGateEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(testBreaker(), false)
		trip(t, g)
		go func() { // takes each probe and fails it
			for {
				if g.Wait(t.Context(), carrier.Credential{}, time.Now().Add(time.Minute), true) != nil {
					return
				}
				if p, err := g.Allow(); err == nil {
					p.Report(classify.Fault)
				}
			}
		}()
		start := time.Now()
		err := g.Wait(t.Context(), carrier.Credential{}, start.Add(3*time.Second), false)
		for err == nil { // it was let out for a probe that another one took
			err = g.Wait(t.Context(), carrier.Credential{}, start.Add(3*time.Second), true)
		}
		if !errors.Is(err, ErrShut) || time.Since(start) != 3*time.Second {
			t.Errorf("got %v after %s, want errShut after 3s", err, time.Since(start))
		}
		g.Stop()
	})
}

func TestLeavingAnOpenGateFreesThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(testBreaker(), false)
		trip(t, g)
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		time.AfterFunc(100*time.Millisecond, func() { cancel(gone) })
		if err := g.Wait(ctx, carrier.Credential{}, time.Now().Add(time.Minute), false); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
		if g.Depth() != 0 {
			t.Error("the place is still taken")
		}
		g.Stop()
	})
}
