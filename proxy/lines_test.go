package proxy

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
)

// fill makes limiters for n models, a millisecond apart, and returns the time after.
func fill(ls *lines, prefix string, n int, now time.Time) time.Time {
	for i := range n {
		pl := &place{}
		pl.take(ls.of(lineKey{model: fmt.Sprint(prefix, i)}, now), limit.Waiter{})
		pl.line.enter(pl, now)
		now = now.Add(time.Millisecond)
	}
	return now
}

func TestAFloodOfKeysDropsThoseThatAreNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands still: nobody is let out meanwhile
		ls := newLines(limit.Settings{RPM: 60})
		now := time.Now()
		busy := ls.of(lineKey{model: "busy"}, now)
		for range 10 { // it has a line
			pl := &place{}
			pl.take(busy, limit.Waiter{})
			busy.enter(pl, now)
		}
		defer busy.turnstile.Load().timer.Stop()
		now = fill(ls, "flood ", maxLines-2, now)
		now = fill(ls, "more ", 2*maxLines, now)
		if got := len(ls.byKey); got > maxLines {
			t.Errorf("%d limiters, want at most %d", got, maxLines)
		}
		if ls.of(lineKey{model: "busy"}, now) != busy {
			t.Error("the limiter with a line was dropped")
		}
		if ls.byKey[lineKey{model: "flood 1"}] != nil {
			t.Error("the limiter that was not used for longest is still there")
		}
		own, shared := ls.of(lineKey{model: "late"}, now), ls.byKey[lineKey{}]
		if own == shared {
			now = now.Add(roomTime)
			own = ls.of(lineKey{model: "late"}, now)
		}
		if own == shared {
			t.Error("a new key has no limiter of its own after a second")
		}
	})
}

func TestRoomIsNotLookedForWithEachKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands still: nobody is let out meanwhile
		ls := newLines(limit.Settings{RPM: 60})
		now := time.Now()
		for i := range maxLines {
			ln := ls.of(lineKey{model: fmt.Sprint(i)}, now)
			for range 3 {
				pl := &place{}
				pl.take(ln, limit.Waiter{})
				ln.enter(pl, now)
			}
		}
		defer func() {
			for _, ln := range ls.byKey {
				if ln.turnstile.Load().timer != nil {
					ln.turnstile.Load().timer.Stop()
				}
			}
		}()
		for i := range 10_000 {
			ls.of(lineKey{model: fmt.Sprint("new ", i)}, now)
		}
		first := ls.of(lineKey{model: "new 0"}, now)
		if first != ls.byKey[lineKey{}] {
			t.Error("a further key has a limiter of its own above the bound")
		}
		if full := ls.full; !full.Equal(now.Add(roomTime)) {
			t.Errorf("room is looked for again at %v, want once a second", full.Sub(now))
		}
	})
}
