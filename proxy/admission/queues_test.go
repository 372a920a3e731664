package admission

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/carrier"
)

// learns is what limits are unless they are configured.
var learns = limit.Settings{Learn: true, QueueMax: 10_000}

// credentialOf is one of many.
func credentialOf(i int) carrier.Credential {
	return carrier.Credential{byte(i), byte(i >> 8), byte(i >> 16)}
}

// enters takes a place for a request, and enters it.
func enters(ls *Queues, key Key, now time.Time) *Ticket {
	pl := &Ticket{}
	pl.Take(ls.Take(key, key.Model != "", now), limit.Waiter{Tokens: 1})
	pl.Taken = true
	pl.Queue.Enter(pl, now)
	return pl
}

// ends gives a place up.
func (pl *Ticket) ends(now time.Time) {
	pl.Leave(now)
	pl.Free(now)
}

// calls makes a whole call, that proves its model or is rejected.
func calls(ls *Queues, key Key, now time.Time, exists bool) {
	pl := enters(ls, key, now)
	pl.Sent(now, pl.Turn)
	if exists {
		ls.Prove(pl.Queue, now)
		pl.Answered(now, limit.Told{Headers: limit.Headers{Readings: []limit.Reading{{Dimension: "requests", Limit: 1000, Remaining: 999, Reset: time.Second}}}})
	} else {
		pl.Rejected(now)
	}
	pl.ends(now)
}

func TestLines_NothingIsKeptOfInventedNames(t *testing.T) {
	ls, now := NewQueues(learns), time.Now()
	for i := range 20_000 {
		calls(ls, Key{credentialOf(1), fmt.Sprint("m", i)}, now, false)
		calls(ls, Key{credentialOf(i), "m"}, now, false)
	}
	if len(ls.byKey) != 0 || len(ls.accounts) > maxBlank || ls.bytes > maxBlank*5<<10 {
		t.Errorf("%d limiters of %d credentials are kept, of %d bytes", len(ls.byKey), len(ls.accounts), ls.bytes)
	}
	if ls.Tidy(time.Now().Add(blankTime)) || len(ls.accounts) != 0 || ls.bytes != 0 {
		t.Errorf("%d credentials are kept after a minute, of %d bytes", len(ls.accounts), ls.bytes)
	}
}

func TestLines_InventedNamesKeepAConfiguredLimitForAMinute(t *testing.T) {
	ls, now := NewQueues(limit.Settings{RPM: 60, QueueMax: 100}), time.Now()
	calls(ls, Key{Model: "a"}, now, false)
	pl := enters(ls, Key{Model: "b"}, now)
	if pl.held {
		t.Error("60 a minute are 1 a second, and two invented models had one each at once")
	}
	pl.ends(now)
	for i := range 20_000 {
		calls(ls, Key{credentialOf(i), "m"}, now, false)
	}
	if ls.bytes > ls.Room {
		t.Errorf("%d bytes are kept, the bound is %d", ls.bytes, ls.Room)
	}
	if ls.Tidy(now.Add(time.Minute)) || len(ls.accounts) != 0 || ls.bytes != 0 {
		t.Errorf("%d credentials are kept after a minute, of %d bytes", len(ls.accounts), ls.bytes)
	}
}

func TestLines_AFloodByOneCredentialEvictsNoOther(t *testing.T) {
	ls, now := NewQueues(learns), time.Now()
	calls(ls, Key{credentialOf(1), "rare"}, now, true)
	rare := ls.byKey[Key{credentialOf(1), "rare"}]
	for range youngUses {
		calls(ls, Key{credentialOf(2), "own"}, now, true)
	}
	for i := range 20_000 {
		calls(ls, Key{credentialOf(2), fmt.Sprint("m", i)}, now, true)
		calls(ls, Key{credentialOf(2), fmt.Sprint("x", i)}, now, false)
	}
	a := ls.accounts[accountKey{credentialOf(2), true}]
	if a.bytes > ls.Room/accountShare || a.bytes < ls.Room/accountShare/2 {
		t.Errorf("the flood keeps %d bytes, want about %d", a.bytes, ls.Room/accountShare)
	}
	if ls.byKey[Key{credentialOf(1), "rare"}] != rare || rare == nil {
		t.Error("another credential's limiter was dropped")
	}
	if ls.byKey[Key{credentialOf(2), "own"}] == nil {
		t.Error("the limiter that the credential itself used often went before those it used once")
	}
}

func TestLines_AFloodOfCredentialsLeavesThoseThatAreUsed(t *testing.T) {
	ls, now := NewQueues(learns), time.Now()
	for range youngUses {
		calls(ls, Key{credentialOf(1), "m"}, now, true)
	}
	busy := enters(ls, Key{credentialOf(2), "m"}, now)
	for i := range 20_000 {
		calls(ls, Key{credentialOf(i + 3), "m"}, now, true)
	}
	if ls.bytes > ls.Room || ls.bytes < ls.Room/2 {
		t.Errorf("%d bytes are kept, want about %d", ls.bytes, ls.Room)
	}
	if ls.byKey[Key{credentialOf(1), "m"}] == nil {
		t.Error("the limiter that was used often went before those that were used once")
	}
	if ls.byKey[busy.Queue.key] != busy.Queue {
		t.Error("a limiter that is in use was dropped")
	}
	if ls.byKey[Key{credentialOf(3), "m"}] != nil {
		t.Error("the limiter that was not used for longest is still there")
	}
	busy.ends(now)
	if !ls.Tidy(now.Add(youngTime)) || len(ls.byKey) != 1 {
		t.Errorf("%d limiters are left after two minutes, want the one that was used often", len(ls.byKey))
	}
	if ls.Tidy(now.Add(time.Hour)) || len(ls.byKey)+len(ls.accounts) != 0 || ls.bytes != 0 {
		t.Errorf("%d limiters are left after an hour, of %d bytes", len(ls.byKey), ls.bytes)
	}
}

// TestLines_WhatRefusalsTaughtStays has false friends of an invented model: one that is refused
// for its rate, and one whose calls are refused for being too many at once.
func TestLines_WhatRefusalsTaughtStays(t *testing.T) {
	ls, now := NewQueues(learns), time.Now()
	pl := enters(ls, Key{Model: "refused"}, now)
	pl.Queue.Refusals.Refuse(now, 0, false, nil)
	pl.ends(now)
	kept := ls.byKey[Key{Model: "refused"}]
	if kept == nil {
		t.Fatal("a streak of refusals was forgotten")
	}
	ls.Tidy(now.Add(time.Minute))
	if again := enters(ls, Key{Model: "refused"}, now.Add(time.Minute)); again.Queue != kept {
		t.Error("a streak of refusals was forgotten after a minute")
	} else {
		again.ends(now)
	}
	if ls.Tidy(now.Add(6 * time.Minute)) {
		t.Error("a streak that cannot go on is kept")
	}
}

func TestLines_AProvenModelKeepsItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls, now := NewQueues(learns), time.Now()
		var a, b []*Ticket
		for range 20 {
			a, b = append(a, enters(ls, Key{Model: "a"}, now)), append(b, enters(ls, Key{Model: "b"}, now))
		}
		if a[0].Queue.scheduler.Load() != b[0].Queue.scheduler.Load() {
			t.Fatal("two models that nobody knows to exist have a limiter each")
		}
		if !a[0].held || !b[0].held || a[2].held {
			t.Fatal("the cold start of both is not that of one limiter")
		}
		before := a[0].Queue.scheduler.Load()
		a[0].Sent(now, a[0].Turn)
		ls.Prove(a[0].Queue, now)
		if a[0].Queue.scheduler.Load() != before || before == b[0].Queue.scheduler.Load() {
			t.Error("the model that exists does not go on with the limiter that paced it")
		}
		held := func(all []*Ticket) int {
			n := 0
			for _, pl := range all {
				if pl.held {
					n++
				}
			}
			return n
		}
		if got := held(a); got > 3 {
			t.Errorf("%d of the model's requests are let out beside the first, want its cold start to go on", got)
		}
		if got := held(b); got > 4 {
			t.Errorf("%d of the other model's requests are let out, want at most a cold start's", got)
		}
		if q := before.snapshot(now).Queue + b[0].Queue.scheduler.Load().snapshot(now).Queue; q+held(a)+held(b) != 39 {
			t.Errorf("%d wait and %d and %d may go, of 39", q, held(a), held(b))
		}
		ls.Prove(b[0].Queue, now)
		for _, pl := range append(a, b...) {
			pl.ends(now)
		}
		for _, model := range []string{"a", "b"} {
			ts := ls.byKey[Key{Model: model}].scheduler.Load()
			if s := ts.snapshot(now); s.Queue != 0 || len(ts.held) != 0 {
				t.Errorf("%s: %d wait when all have left", model, s.Queue)
			}
		}
		if a := ls.accounts[accountKey{named: true}]; a.users != 0 || len(a.unproven) != 0 {
			t.Errorf("the common limiter is left: %+v", a)
		}
	})
}

// TestLines_AProvenModelIsNotSlowedByInventedOnes refuses a model that nobody knows to exist.
func TestLines_AProvenModelIsNotSlowedByInventedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls, now := NewQueues(learns), time.Now()
		invented := enters(ls, Key{Model: "invented"}, now)
		invented.Sent(now, invented.Turn)
		there := enters(ls, Key{Model: "there"}, now)
		there.Sent(now, there.Turn)
		invented.Queue.Refused(invented, now, limit.Refusal{Hint: 30 * time.Second})
		ls.Prove(there.Queue, now)
		next := enters(ls, Key{Model: "there"}, now)
		if !next.held {
			t.Error("the model that exists waits for another's refusal")
		}
		if other := enters(ls, Key{Model: "other"}, now); other.held {
			t.Error("an invented model does not wait for the refusal of another")
		} else {
			other.ends(now)
		}
		for _, pl := range []*Ticket{invented, there, next} {
			pl.ends(now)
		}
	})
}

// TestLines_WhatInventedOnesTaughtIsKeptApart has the invented model's caller gone by then.
func TestLines_WhatInventedOnesTaughtIsKeptApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls, now := NewQueues(learns), time.Now()
		invented := enters(ls, Key{Model: "invented"}, now)
		invented.Sent(now, invented.Turn)
		there := enters(ls, Key{Model: "there"}, now)
		there.Sent(now, there.Turn)
		invented.Queue.Refused(invented, now, limit.Refusal{Hint: 30 * time.Second})
		invented.ends(now)
		ls.Prove(there.Queue, now)
		next, other := enters(ls, Key{Model: "there"}, now), enters(ls, Key{Model: "other"}, now)
		if !next.held || other.held {
			t.Errorf("of the model that exists one may go: %v, of an invented one: %v", next.held, other.held)
		}
		for _, pl := range []*Ticket{there, next, other} {
			pl.ends(now)
		}
	})
}

func TestLines_CallsThatNameNoModelDoNotWaitForInventedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls, now := NewQueues(learns), time.Now()
		all := []*Ticket{}
		for i := range 5 { // one more than a cold start's
			all = append(all, enters(ls, Key{Model: fmt.Sprint("m", i)}, now))
		}
		if all = append(all, enters(ls, Key{}, now)); !all[5].held || all[4].held {
			t.Errorf("the call may go: %v, the last of the invented ones: %v", all[5].held, all[4].held)
		}
		for _, pl := range all {
			pl.ends(now)
		}
	})
}

// TestLines_AModelKeepsWhatItsOwnRefusalsTaught is its false friend.
func TestLines_AModelKeepsWhatItsOwnRefusalsTaught(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls, now := NewQueues(learns), time.Now()
		first, second := enters(ls, Key{Model: "m"}, now), enters(ls, Key{Model: "m"}, now)
		first.Sent(now, first.Turn)
		second.Sent(now, second.Turn)
		first.Queue.Refused(first, now, limit.Refusal{Hint: 30 * time.Second})
		ls.Prove(second.Queue, now)
		if next := enters(ls, Key{Model: "m"}, now); next.held {
			t.Error("what a refusal taught was lost when the model turned out to exist")
		} else {
			next.ends(now)
		}
		first.ends(now)
		second.ends(now)
	})
}

// BenchmarkLinesAtTheBound measures a request of a flood, at the bound.
func BenchmarkLinesAtTheBound(b *testing.B) {
	ls, now := NewQueues(learns), time.Now()
	for i := range 20_000 {
		calls(ls, Key{credentialOf(i), "m"}, now, true)
	}
	i := 20_000
	for b.Loop() {
		calls(ls, Key{credentialOf(i), "m"}, now, true)
		i++
	}
}
