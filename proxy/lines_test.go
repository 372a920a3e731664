package proxy

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
)

// learns is what limits are unless they are configured.
var learns = limit.Settings{Learn: true, QueueMax: 10_000}

// credentialOf is one of many.
func credentialOf(i int) credential { return credential{byte(i), byte(i >> 8), byte(i >> 16)} }

// enters takes a place for a request, and enters it.
func enters(ls *lines, key lineKey, now time.Time) *place {
	pl := &place{}
	pl.take(ls.take(key, key.model != "", now), limit.Waiter{Tokens: 1})
	pl.taken = true
	pl.line.enter(pl, now)
	return pl
}

// ends gives a place up.
func (pl *place) ends(now time.Time) {
	pl.leave(now)
	pl.free(now)
}

// calls makes a whole call, that proves its model or is rejected.
func calls(ls *lines, key lineKey, now time.Time, exists bool) {
	pl := enters(ls, key, now)
	pl.sent(now, pl.turn)
	if exists {
		ls.prove(pl.line, now)
		pl.answered(now, limit.Told{Headers: limit.Headers{Readings: []limit.Reading{{Dimension: "requests", Limit: 1000, Remaining: 999, Reset: time.Second}}}})
	} else {
		pl.rejected(now)
	}
	pl.ends(now)
}

func TestLines_NothingIsKeptOfInventedNames(t *testing.T) {
	ls, now := newLines(learns), time.Now()
	for i := range 20_000 {
		calls(ls, lineKey{credentialOf(1), fmt.Sprint("m", i)}, now, false)
		calls(ls, lineKey{credentialOf(i), "m"}, now, false)
	}
	if len(ls.byKey) != 0 || len(ls.accounts) > maxBlank || ls.bytes > maxBlank*5<<10 {
		t.Errorf("%d limiters of %d credentials are kept, of %d bytes", len(ls.byKey), len(ls.accounts), ls.bytes)
	}
	if ls.tidy(now.Add(blankTime)) || len(ls.accounts) != 0 || ls.bytes != 0 {
		t.Errorf("%d credentials are kept after a minute, of %d bytes", len(ls.accounts), ls.bytes)
	}
}

func TestLines_InventedNamesKeepAConfiguredLimitForAMinute(t *testing.T) {
	ls, now := newLines(limit.Settings{RPM: 60, QueueMax: 100}), time.Now()
	calls(ls, lineKey{model: "a"}, now, false)
	pl := enters(ls, lineKey{model: "b"}, now)
	if pl.held {
		t.Error("60 a minute are 1 a second, and two invented models had one each at once")
	}
	pl.ends(now)
	for i := range 20_000 {
		calls(ls, lineKey{credentialOf(i), "m"}, now, false)
	}
	if ls.bytes > ls.room {
		t.Errorf("%d bytes are kept, the bound is %d", ls.bytes, ls.room)
	}
	if ls.tidy(now.Add(time.Minute)) || len(ls.accounts) != 0 || ls.bytes != 0 {
		t.Errorf("%d credentials are kept after a minute, of %d bytes", len(ls.accounts), ls.bytes)
	}
}

func TestLines_AFloodByOneCredentialEvictsNoOther(t *testing.T) {
	ls, now := newLines(learns), time.Now()
	calls(ls, lineKey{credentialOf(1), "rare"}, now, true)
	rare := ls.byKey[lineKey{credentialOf(1), "rare"}]
	for range youngUses {
		calls(ls, lineKey{credentialOf(2), "own"}, now, true)
	}
	for i := range 20_000 {
		calls(ls, lineKey{credentialOf(2), fmt.Sprint("m", i)}, now, true)
		calls(ls, lineKey{credentialOf(2), fmt.Sprint("x", i)}, now, false)
	}
	a := ls.accounts[accountKey{credentialOf(2), true}]
	if a.bytes > ls.room/accountShare || a.bytes < ls.room/accountShare/2 {
		t.Errorf("the flood keeps %d bytes, want about %d", a.bytes, ls.room/accountShare)
	}
	if ls.byKey[lineKey{credentialOf(1), "rare"}] != rare || rare == nil {
		t.Error("another credential's limiter was dropped")
	}
	if ls.byKey[lineKey{credentialOf(2), "own"}] == nil {
		t.Error("the limiter that the credential itself used often went before those it used once")
	}
}

func TestLines_AFloodOfCredentialsLeavesThoseThatAreUsed(t *testing.T) {
	ls, now := newLines(learns), time.Now()
	for range youngUses {
		calls(ls, lineKey{credentialOf(1), "m"}, now, true)
	}
	busy := enters(ls, lineKey{credentialOf(2), "m"}, now)
	for i := range 20_000 {
		calls(ls, lineKey{credentialOf(i + 3), "m"}, now, true)
	}
	if ls.bytes > ls.room || ls.bytes < ls.room/2 {
		t.Errorf("%d bytes are kept, want about %d", ls.bytes, ls.room)
	}
	if ls.byKey[lineKey{credentialOf(1), "m"}] == nil {
		t.Error("the limiter that was used often went before those that were used once")
	}
	if ls.byKey[busy.line.key] != busy.line {
		t.Error("a limiter that is in use was dropped")
	}
	if ls.byKey[lineKey{credentialOf(3), "m"}] != nil {
		t.Error("the limiter that was not used for longest is still there")
	}
	busy.ends(now)
	if !ls.tidy(now.Add(youngTime)) || len(ls.byKey) != 1 {
		t.Errorf("%d limiters are left after two minutes, want the one that was used often", len(ls.byKey))
	}
	if ls.tidy(now.Add(time.Hour)) || len(ls.byKey)+len(ls.accounts) != 0 || ls.bytes != 0 {
		t.Errorf("%d limiters are left after an hour, of %d bytes", len(ls.byKey), ls.bytes)
	}
}

// TestLines_WhatRefusalsTaughtStays has false friends of an invented model: one that is refused
// for its rate, and one whose calls are refused for being too many at once.
func TestLines_WhatRefusalsTaughtStays(t *testing.T) {
	ls, now := newLines(learns), time.Now()
	pl := enters(ls, lineKey{model: "refused"}, now)
	pl.line.refusals.refuse(now, 0, false, nil)
	pl.ends(now)
	kept := ls.byKey[lineKey{model: "refused"}]
	if kept == nil {
		t.Fatal("a streak of refusals was forgotten")
	}
	ls.tidy(now.Add(time.Minute))
	if again := enters(ls, lineKey{model: "refused"}, now.Add(time.Minute)); again.line != kept {
		t.Error("a streak of refusals was forgotten after a minute")
	} else {
		again.ends(now)
	}
	if ls.tidy(now.Add(6 * time.Minute)) {
		t.Error("a streak that cannot go on is kept")
	}
}

func TestLines_AProvenModelKeepsItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls, now := newLines(learns), time.Now()
		var a, b []*place
		for range 20 {
			a, b = append(a, enters(ls, lineKey{model: "a"}, now)), append(b, enters(ls, lineKey{model: "b"}, now))
		}
		if a[0].line.turnstile.Load() != b[0].line.turnstile.Load() {
			t.Fatal("two models that nobody knows to exist have a limiter each")
		}
		if !a[0].held || !b[0].held || a[2].held {
			t.Fatal("the cold start of both is not that of one limiter")
		}
		before := a[0].line.turnstile.Load()
		a[0].sent(now, a[0].turn)
		ls.prove(a[0].line, now)
		if a[0].line.turnstile.Load() != before || before == b[0].line.turnstile.Load() {
			t.Error("the model that exists does not go on with the limiter that paced it")
		}
		held := func(all []*place) int {
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
		if q := before.snapshot(now).Queue + b[0].line.turnstile.Load().snapshot(now).Queue; q+held(a)+held(b) != 39 {
			t.Errorf("%d wait and %d and %d may go, of 39", q, held(a), held(b))
		}
		ls.prove(b[0].line, now)
		for _, pl := range append(a, b...) {
			pl.ends(now)
		}
		for _, model := range []string{"a", "b"} {
			ts := ls.byKey[lineKey{model: model}].turnstile.Load()
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
		ls, now := newLines(learns), time.Now()
		invented := enters(ls, lineKey{model: "invented"}, now)
		invented.sent(now, invented.turn)
		there := enters(ls, lineKey{model: "there"}, now)
		there.sent(now, there.turn)
		invented.line.refused(invented, now, limit.Refusal{Hint: 30 * time.Second})
		ls.prove(there.line, now)
		next := enters(ls, lineKey{model: "there"}, now)
		if !next.held {
			t.Error("the model that exists waits for another's refusal")
		}
		if other := enters(ls, lineKey{model: "other"}, now); other.held {
			t.Error("an invented model does not wait for the refusal of another")
		} else {
			other.ends(now)
		}
		for _, pl := range []*place{invented, there, next} {
			pl.ends(now)
		}
	})
}

// TestLines_WhatInventedOnesTaughtIsKeptApart has the invented model's caller gone by then.
func TestLines_WhatInventedOnesTaughtIsKeptApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls, now := newLines(learns), time.Now()
		invented := enters(ls, lineKey{model: "invented"}, now)
		invented.sent(now, invented.turn)
		there := enters(ls, lineKey{model: "there"}, now)
		there.sent(now, there.turn)
		invented.line.refused(invented, now, limit.Refusal{Hint: 30 * time.Second})
		invented.ends(now)
		ls.prove(there.line, now)
		next, other := enters(ls, lineKey{model: "there"}, now), enters(ls, lineKey{model: "other"}, now)
		if !next.held || other.held {
			t.Errorf("of the model that exists one may go: %v, of an invented one: %v", next.held, other.held)
		}
		for _, pl := range []*place{there, next, other} {
			pl.ends(now)
		}
	})
}

func TestLines_CallsThatNameNoModelDoNotWaitForInventedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls, now := newLines(learns), time.Now()
		all := []*place{}
		for i := range 5 { // one more than a cold start's
			all = append(all, enters(ls, lineKey{model: fmt.Sprint("m", i)}, now))
		}
		if all = append(all, enters(ls, lineKey{}, now)); !all[5].held || all[4].held {
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
		ls, now := newLines(learns), time.Now()
		first, second := enters(ls, lineKey{model: "m"}, now), enters(ls, lineKey{model: "m"}, now)
		first.sent(now, first.turn)
		second.sent(now, second.turn)
		first.line.refused(first, now, limit.Refusal{Hint: 30 * time.Second})
		ls.prove(second.line, now)
		if next := enters(ls, lineKey{model: "m"}, now); next.held {
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
	ls, now := newLines(learns), time.Now()
	for i := range 20_000 {
		calls(ls, lineKey{credentialOf(i), "m"}, now, true)
	}
	i := 20_000
	for b.Loop() {
		calls(ls, lineKey{credentialOf(i), "m"}, now, true)
		i++
	}
}
