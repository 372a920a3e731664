package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/priority"
)

// ended are the times at which calls did, since a start.
type ended struct {
	mu    sync.Mutex
	times []time.Duration
}

func (e *ended) add(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.times = append(e.times, d)
}

func (e *ended) all() []time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.times)
}

// calls takes a slot for n calls of a second each, and tells when each ended, or why it did not begin.
func (s *Slots) calls(n int, p priority.Priority, deadline time.Time, done func(time.Time, error)) {
	for range n {
		go func() {
			var sl Slot
			if err := s.Take(context.Background(), &sl, &SlotWaiter{Came: time.Now(), Deadline: deadline, Priority: p}, time.Time{}, false); err != nil {
				done(time.Now(), err)
				return
			}
			sl.Sent(time.Now())
			time.Sleep(time.Second)
			sl.Give(true)
			done(time.Now(), nil)
		}()
		synctest.Wait()
	}
}

func TestSlots_HighOnesPassAQueueOfLowOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1, 1000, false)
		var lowOnes, highOnes ended
		start := time.Now()
		s.calls(201, priority.Low, time.Time{}, func(at time.Time, _ error) { lowOnes.add(at.Sub(start)) })
		s.calls(20, priority.High, time.Time{}, func(at time.Time, _ error) { highOnes.add(at.Sub(start)) })
		if got := s.Status(start).Waiting; got != (priority.Counts{20, 0, 200}) {
			t.Errorf("%v wait, want 20, 0 and 200", got)
		}
		time.Sleep(26 * time.Second)
		low, high := lowOnes.all(), highOnes.all()
		if len(high) != 20 || high[19] > 25*time.Second {
			t.Errorf("%d high ones are done after %v, want 20 in the time that 25 need", len(high), high)
		}
		if len(low) < 3 {
			t.Errorf("%d low ones are done meanwhile", len(low))
		}
		time.Sleep(200 * time.Second)
		if low = lowOnes.all(); len(low) != 201 || !s.Idle() {
			t.Errorf("%d low ones are done, want all", len(low))
		}
	})
}

func TestSlots_LowOnesDoNotFillTheQueueForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1, 2, false)
		var full atomic.Int64
		count := func(_ time.Time, err error) {
			if errors.Is(err, ErrSlotsFull) {
				full.Add(1)
			}
		}
		s.calls(4, priority.Low, time.Time{}, count)
		if full.Load() != 1 {
			t.Fatalf("%d of one in flight, two that wait and a fourth were refused, want the last", full.Load())
		}
		s.calls(2, priority.High, time.Time{}, count)
		if full.Load() != 1 {
			t.Error("high ones were refused for low ones that wait")
		}
		time.Sleep(time.Minute)
	})
}

func TestSlots_WhoCannotBeInTimeIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, quiet := NewSlots(1, 1000, true), func(time.Time, error) {}
		defer s.Stop()
		s.calls(40, priority.Normal, time.Time{}, quiet) // how long they take
		time.Sleep(time.Minute)
		s.mu.Lock()
		_, known := s.learned.Lasts()
		s.mu.Unlock()
		if !known {
			t.Fatal("it is not known how long calls take")
		}
		start := time.Now()
		var mu sync.Mutex
		told := map[string]error{}
		tell := func(name string) func(time.Time, error) {
			return func(at time.Time, err error) {
				if err != nil && at.Sub(start) > 200*time.Millisecond {
					t.Errorf("%s is told after %v", name, at.Sub(start))
				}
				mu.Lock()
				defer mu.Unlock()
				told[name] = err
			}
		}
		s.calls(1, priority.Normal, time.Time{}, quiet)
		s.calls(1, priority.Low, start.Add(5*time.Second), tell("the first low one"))
		s.calls(1, priority.Low, start.Add(5*time.Second), tell("a low one that high ones pass"))
		s.calls(8, priority.Low, time.Time{}, quiet)
		s.calls(1, priority.Low, start.Add(5*time.Second), tell("a low one behind ten"))
		s.calls(1, priority.High, start.Add(5*time.Second), tell("a high one"))
		s.calls(20, priority.High, time.Time{}, quiet)
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		for name, want := range map[string]error{
			"the first low one": nil, "a low one that high ones pass": ErrTurnedAway, "a low one behind ten": ErrTurnedAway, "a high one": nil,
		} {
			if got, answered := told[name]; !answered || !errors.Is(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	})
}
