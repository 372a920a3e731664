package proxy

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
)

// TestWhoWaitsWhileLinesMoveIsAdmittedOnce moves three lines to one turnstile and apart
// again while 3000 requests come, wait, leave, are sent, answered and refused.
func TestWhoWaitsWhileLinesMoveIsAdmittedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls := newLines(limit.Settings{RPM: 60_000, QueueMax: 10_000})
		ls.siblings = newSiblings(func(string, []slog.Attr) {}, "openai", time.Now())
		lines := []*line{
			ls.of(lineKey{model: "a"}, time.Now()), ls.of(lineKey{model: "b"}, time.Now()), ls.of(lineKey{model: "c"}, time.Now()),
		}
		var wg sync.WaitGroup
		var served, left atomic.Int64
		const requests = 3000
		for i := range requests {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 1))
				time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond) // the bubble's clock
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Duration(random.IntN(4000))*time.Millisecond, errDeadline)
				defer cancel()
				var pl place
				pl.take(lines[i%len(lines)], limit.Waiter{})
				if d := pl.line.enter(&pl, time.Now()); d.Reason != limit.Admitted && d.Reason != limit.Queued {
					t.Error(d)
					return
				}
				for {
					if err := pl.wait(ctx); err != nil {
						if !errors.Is(err, errDeadline) {
							t.Error(err)
						}
						left.Add(1)
						return
					}
					if random.IntN(20) == 0 {
						pl.leave(time.Now())
						left.Add(1)
						return
					}
					pl.sent(time.Now(), pl.turn)
					time.Sleep(5 * time.Millisecond) // the bubble's clock
					if random.IntN(10) > 0 {
						pl.answered(time.Now(), limit.Told{})
						served.Add(1)
						return
					}
					if d := pl.line.refused(&pl, time.Now(), limit.Refusal{Hint: 10 * time.Millisecond}); d.Reason != limit.Queued {
						t.Error(d)
						return
					}
				}
			})
		}
		move := rand.New(rand.NewPCG(7, 7))
		for range 1000 {
			time.Sleep(5 * time.Millisecond) // the bubble's clock
			ls.siblings.moving.Lock()
			a, b := lines[move.IntN(3)], lines[move.IntN(3)]
			ts, other := a.turnstile.Load(), b.turnstile.Load()
			switch {
			case ts != other:
				ts.absorb(other, time.Now())
			case len(ts.lines) > 1:
				ts.split(b, time.Now())
			}
			ls.siblings.moving.Unlock()
		}
		wg.Wait()
		if served.Load()+left.Load() != requests || served.Load() < requests/2 {
			t.Errorf("%d served and %d left of %d", served.Load(), left.Load(), requests)
		}
		ls.each(time.Now(), func(keys []lineKey, s limit.Snapshot, _ bool) {
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
		a, b := newLine(lineKey{model: "a"}, limit.Settings{RPM: 600}, now), newLine(lineKey{model: "b"}, limit.Settings{RPM: 600}, now)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 100 {
			time.Sleep(time.Microsecond) // the bubble's clock
			pl := &place{}
			pl.take([]*line{a, b}[i%2], limit.Waiter{})
			if d := pl.line.enter(pl, time.Now()); d.Reason != limit.Queued {
				pl.sent(time.Now(), pl.turn)
				continue
			}
			wg.Go(func() {
				if err := pl.wait(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				pl.sent(time.Now(), pl.turn)
			})
		}
		a.turnstile.Load().absorb(b.turnstile.Load(), time.Now())
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
	ls := newLines(limit.Settings{Learn: true})
	ls.siblings = newSiblings(func(string, []slog.Attr) {}, "openai", now)
	a, b := ls.of(lineKey{model: "a"}, now), ls.of(lineKey{model: "b"}, now)
	ls.siblings.moving.Lock()
	a.turnstile.Load().absorb(b.turnstile.Load(), now)
	ls.siblings.moving.Unlock()
	pl := &place{}
	pl.take(a, limit.Waiter{})
	a.enter(pl, now)
	pl.answered(now, limit.Told{Headers: limit.Headers{Ignored: 3}})
	total := func() int { return ls.each(now, func([]lineKey, limit.Snapshot, bool) {}).IgnoredHeaders }
	for _, key := range []lineKey{{model: "a"}, {model: "b"}} {
		ls.drop(ls.byKey[key], now)
		if got := total(); got != 3 {
			t.Errorf("%d ignored after %v was dropped, want 3", got, key)
		}
	}
	if b.turnstile.Load() != a.turnstile.Load() {
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
			if got := mayShare(tt.settings); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestWhatARefusalTellsOfTheAccount(t *testing.T) {
	v := classify.Verdict{Error: classify.ErrorFields{Message: "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 3"}}
	h := http.Header{"Openai-Organization": {"org-x"}}
	if got := toldBy(h, v, limit.Headers{}, &limit.Refusal{}); got.Organization != "org-x" || got.Account != "gpt-4o in organization org-x" {
		t.Errorf("got %+v", got)
	}
	if got := toldBy(nil, v, limit.Headers{}, nil); got.Organization != "" || got.Account != "" {
		t.Errorf("got %+v", got)
	}
}

// BenchmarkSentAndAnswered is what looking for lines that share an account adds.
func BenchmarkSentAndAnswered(b *testing.B) {
	for name, keys := range map[string]int{"one line": 1, "eight lines": 8} {
		b.Run(name, func(b *testing.B) {
			now := time.Now()
			ls := newLines(limit.Settings{Learn: true})
			ls.siblings = newSiblings(func(string, []slog.Attr) {}, "openai", now)
			lines := make([]*line, keys)
			for i := range lines {
				lines[i] = ls.of(lineKey{model: string(rune('a' + i))}, now)
			}
			told := limit.Told{Headers: limit.Headers{Readings: []limit.Reading{{
				Dimension: "requests", Limit: 7500, Remaining: 7400, Reset: 800 * time.Millisecond, Resolution: time.Millisecond,
			}}}}
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Millisecond)
				pl := &place{}
				pl.take(lines[i%keys], limit.Waiter{})
				pl.line.enter(pl, now)
				pl.sent(now, pl.turn)
				pl.answered(now.Add(500*time.Microsecond), told)
			}
		})
	}
}
