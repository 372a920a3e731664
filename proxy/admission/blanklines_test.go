package admission

import (
	"fmt"
	"testing"
	"time"

	"outrigger/policy/limit"
)

// succeeds makes a call that is answered well, by an upstream that tells no limit.
func succeeds(ls *Queues, key Key, now time.Time) {
	pl := enters(ls, key, now)
	pl.Sent(now, pl.Turn)
	ls.Prove(pl.Queue, now)
	pl.Answered(now, limit.Told{})
	pl.ends(now)
}

func TestLines_LittleIsKeptWhereAnswersTellNothing(t *testing.T) {
	for name, key := range map[string]func(i int) Key{
		"credentials": func(i int) Key { return Key{Credential: credentialOf(i), Model: "m"} },
		"models": func(i int) Key {
			return Key{Credential: credentialOf(1), Model: fmt.Sprint("m", i)}
		},
		"both": func(i int) Key {
			return Key{Credential: credentialOf(i), Model: fmt.Sprint("m", i)}
		},
		"calls without a model": func(i int) Key { return Key{Credential: credentialOf(i)} },
	} {
		ls, now := NewQueues(learns), time.Now()
		for i := range 20_000 {
			succeeds(ls, key(i), now)
		}
		if len(ls.byKey) > maxBlank || len(ls.accounts) > maxBlank || ls.bytes > maxBlank*7<<10 {
			t.Errorf("%s: %d limiters of %d credentials are kept, of %d bytes", name, len(ls.byKey), len(ls.accounts), ls.bytes)
		}
		if ls.byKey[key(19_999)] == nil {
			t.Errorf("%s: nothing is kept of the latest", name)
		}
		if ls.Tidy(now.Add(youngTime)) || ls.bytes != 0 {
			t.Errorf("%s: %d bytes are kept after two minutes", name, ls.bytes)
		}
	}
}

// TestLines_WhatWasLearnedOutlastsThoseThatTellNothing has one that an answer told a limit, that
// was refused, that let many go at once, and whose limit is configured.
func TestLines_WhatWasLearnedOutlastsThoseThatTellNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		set  limit.Settings
		does func(ls *Queues, key Key, now time.Time)
	}{
		"told": {learns, func(ls *Queues, key Key, now time.Time) { calls(ls, key, now, true) }},
		"refused": {learns, func(ls *Queues, key Key, now time.Time) {
			pl := enters(ls, key, now)
			pl.Sent(now, pl.Turn)
			pl.Queue.Refused(pl, now, limit.Refusal{Hint: time.Second})
			pl.ends(now)
		}},
		"many at once": {learns, func(ls *Queues, key Key, now time.Time) {
			for range 5 {
				pl := enters(ls, key, now)
				for at := now; !pl.Admitted(); at = at.Add(100 * time.Millisecond) {
					pl.Queue.scheduler.Load().release(at)
				}
				pl.Sent(now, pl.Turn)
				pl.ends(now)
			}
		}},
		"configured": {limit.Settings{RPM: 60, QueueMax: 100}, func(*Queues, Key, time.Time) {}},
	} {
		ls, now := NewQueues(tt.set), time.Now()
		key := Key{Credential: credentialOf(1), Model: "m"}
		first := enters(ls, key, now)
		first.Sent(now, first.Turn)
		ls.Prove(first.Queue, now)
		first.ends(now)
		tt.does(ls, key, now)
		for i := range 1000 {
			succeeds(ls, Key{Credential: credentialOf(i + 2), Model: "m"}, now)
		}
		if ls.byKey[key] != first.Queue {
			t.Errorf("%s: what was learned was forgotten", name)
		}
	}
}

func TestCountersOutliveTheirLimiters(t *testing.T) {
	ls := NewQueues(limit.Settings{Learn: true})
	now := time.Now()
	pl := enters(ls, Key{Model: "gone"}, now)
	ls.Prove(pl.Queue, now)
	pl.Answered(now, limit.Told{Headers: limit.Headers{Ignored: 3}})
	pl.ends(now)
	for i := range 20_000 {
		calls(ls, Key{Credential: credentialOf(i), Model: "m"}, now, true)
	}
	if ls.byKey[Key{Model: "gone"}] != nil {
		t.Fatal("the limiter is still there")
	}
	if got := ls.Each(now, func([]Key, limit.Snapshot, bool) {}); got.IgnoredHeaders != 3 {
		t.Errorf("%d headers were ignored, want the 3 of a limiter that is gone", got.IgnoredHeaders)
	}
}
