package admission

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/limit"
	"outrigger/proxy/apierror"
)

// TestWhoWaitsWhileLinesMoveIsAdmittedOnce moves three lines to one scheduler and apart
// again while 3000 requests come, wait, leave, are sent, answered and refused.
func TestWhoWaitsWhileLinesMoveIsAdmittedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls := NewQueues(limit.Settings{RPM: 60_000, QueueMax: 10_000})
		ls.SharedQuotas = NewSharedQuotas(func(string, []slog.Attr) {}, func() string { return "openai" }, time.Now())
		lines := []*Queue{
			ls.Of(Key{Model: "a"}, time.Now()), ls.Of(Key{Model: "b"}, time.Now()), ls.Of(Key{Model: "c"}, time.Now()),
		}
		var wg sync.WaitGroup
		var served, left atomic.Int64
		const requests = 3000
		for i := range requests {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 1))
				time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond) // the bubble's clock
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Duration(random.IntN(4000))*time.Millisecond, apierror.ErrDeadline)
				defer cancel()
				var pl Ticket
				pl.Take(lines[i%len(lines)], limit.Waiter{})
				if d := pl.Queue.Enter(&pl, time.Now()); d.Reason != limit.Admitted && d.Reason != limit.Queued {
					t.Error(d)
					return
				}
				for {
					if err := pl.Wait(ctx); err != nil {
						if !errors.Is(err, apierror.ErrDeadline) {
							t.Error(err)
						}
						left.Add(1)
						return
					}
					if random.IntN(20) == 0 {
						pl.Leave(time.Now())
						left.Add(1)
						return
					}
					pl.Sent(time.Now(), pl.Turn)
					time.Sleep(5 * time.Millisecond) // the bubble's clock
					if random.IntN(10) > 0 {
						pl.Answered(time.Now(), limit.Told{})
						served.Add(1)
						return
					}
					if d := pl.Queue.Refused(&pl, time.Now(), limit.Refusal{Hint: 10 * time.Millisecond}); d.Reason != limit.Queued {
						t.Error(d)
						return
					}
				}
			})
		}
		move := rand.New(rand.NewPCG(7, 7))
		for range 1000 {
			time.Sleep(5 * time.Millisecond) // the bubble's clock
			ls.SharedQuotas.moving.Lock()
			a, b := lines[move.IntN(3)], lines[move.IntN(3)]
			ts, other := a.scheduler.Load(), b.scheduler.Load()
			switch {
			case ts != other:
				ts.absorb(other, time.Now())
			case len(ts.lines) > 1:
				ts.split(b, time.Now())
			}
			ls.SharedQuotas.moving.Unlock()
		}
		wg.Wait()
		if served.Load()+left.Load() != requests || served.Load() < requests/2 {
			t.Errorf("%d served and %d left of %d", served.Load(), left.Load(), requests)
		}
		ls.Each(time.Now(), func(keys []Key, s limit.Snapshot, _ bool) {
			if s.Queue != 0 {
				t.Errorf("%v: %d still wait", keys, s.Queue)
			}
		})
	})
}

// TestWhoWaitsKeepsItsOrderOverLines fills two lines in turn, and lets them be one.
func TestWhoWaitsKeepsItsOrderOverLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		a, b := newQueue(Key{Model: "a"}, limit.Settings{RPM: 600}, now), newQueue(Key{Model: "b"}, limit.Settings{RPM: 600}, now)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 100 {
			time.Sleep(time.Microsecond) // the bubble's clock
			pl := &Ticket{}
			pl.Take([]*Queue{a, b}[i%2], limit.Waiter{})
			if d := pl.Queue.Enter(pl, time.Now()); d.Reason != limit.Queued {
				pl.Sent(time.Now(), pl.Turn)
				continue
			}
			wg.Go(func() {
				if err := pl.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				pl.Sent(time.Now(), pl.Turn)
			})
		}
		a.scheduler.Load().absorb(b.scheduler.Load(), time.Now())
		wg.Wait()
		for i := 1; i < len(order); i++ {
			if order[i] < order[i-1] {
				t.Fatalf("%d was let out after %d", order[i], order[i-1])
			}
		}
		if took := time.Since(now); took < 7*time.Second || len(order) < 70 {
			t.Errorf("%d were let out in %v by 10 per second", len(order), took)
		}
	})
}

func TestALineThatIsDroppedLeavesTheOthersTheirTurnstile(t *testing.T) {
	now := time.Now()
	ls := NewQueues(limit.Settings{Learn: true})
	ls.SharedQuotas = NewSharedQuotas(func(string, []slog.Attr) {}, func() string { return "openai" }, now)
	a, b := ls.Of(Key{Model: "a"}, now), ls.Of(Key{Model: "b"}, now)
	ls.SharedQuotas.moving.Lock()
	a.scheduler.Load().absorb(b.scheduler.Load(), now)
	ls.SharedQuotas.moving.Unlock()
	pl := &Ticket{}
	pl.Take(a, limit.Waiter{})
	a.Enter(pl, now)
	pl.Answered(now, limit.Told{Headers: limit.Headers{Ignored: 3}})
	total := func() int { return ls.Each(now, func([]Key, limit.Snapshot, bool) {}).IgnoredHeaders }
	for _, key := range []Key{{Model: "a"}, {Model: "b"}} {
		ls.drop(ls.byKey[key], now)
		if got := total(); got != 3 {
			t.Errorf("%d ignored after %v was dropped, want 3", got, key)
		}
	}
	if b.scheduler.Load() != a.scheduler.Load() {
		t.Error("one went elsewhere")
	}
}

func TestConfiguredLimitsAreEachOnesOwn(t *testing.T) {
	for name, tt := range map[string]struct {
		settings limit.Settings
		want     bool
	}{
		"learned":     {limit.Settings{Learn: true}, true},
		"rpm":         {limit.Settings{Learn: true, RPM: 60}, false},
		"tpm":         {limit.Settings{Learn: true, TPM: 60}, false},
		"not learned": {limit.Settings{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := MayShare(tt.settings); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestWhatARefusalTellsOfTheAccount(t *testing.T) {
	v := classify.Verdict{Error: classify.ErrorFields{Message: "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 3"}}
	h := http.Header{"Openai-Organization": {"org-x"}}
	if got := ToldBy(h, v, limit.Headers{}, &limit.Refusal{}); got.Organization != "org-x" || got.Account != "gpt-4o in organization org-x" {
		t.Errorf("got %+v", got)
	}
	if got := ToldBy(nil, v, limit.Headers{}, nil); got.Organization != "" || got.Account != "" {
		t.Errorf("got %+v", got)
	}
}

// BenchmarkSentAndAnswered is what looking for lines that share an account adds.
func BenchmarkSentAndAnswered(b *testing.B) {
	for name, keys := range map[string]int{"one line": 1, "eight lines": 8} {
		b.Run(name, func(b *testing.B) {
			now := time.Now()
			ls := NewQueues(limit.Settings{Learn: true})
			ls.SharedQuotas = NewSharedQuotas(func(string, []slog.Attr) {}, func() string { return "openai" }, now)
			lines := make([]*Queue, keys)
			for i := range lines {
				lines[i] = ls.Of(Key{Model: string(rune('a' + i))}, now)
			}
			told := limit.Told{Headers: limit.Headers{Readings: []limit.Reading{{
				Dimension: "requests", Limit: 7500, Remaining: 7400, Reset: 800 * time.Millisecond, Resolution: time.Millisecond,
			}}}}
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Millisecond)
				pl := &Ticket{}
				pl.Take(lines[i%keys], limit.Waiter{})
				pl.Queue.Enter(pl, now)
				pl.Sent(now, pl.Turn)
				pl.Answered(now.Add(500*time.Microsecond), told)
			}
		})
	}
}
