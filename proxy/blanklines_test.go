package proxy

import (
	"fmt"
	"testing"
	"time"

	"outrigger/policy/limit"
)

// succeeds makes a call that is answered well, by an upstream that tells no limit.
func succeeds(ls *lines, key lineKey, now time.Time) {
	pl := enters(ls, key, now)
	pl.sent(now, pl.turn)
	ls.prove(pl.line, now)
	pl.answered(now, limit.Told{})
	pl.ends(now)
}

func TestLines_LittleIsKeptWhereAnswersTellNothing(t *testing.T) {
	for name, key := range map[string]func(i int) lineKey{
		"credentials":           func(i int) lineKey { return lineKey{credentialOf(i), "m"} },
		"models":                func(i int) lineKey { return lineKey{credentialOf(1), fmt.Sprint("m", i)} },
		"both":                  func(i int) lineKey { return lineKey{credentialOf(i), fmt.Sprint("m", i)} },
		"calls without a model": func(i int) lineKey { return lineKey{credential: credentialOf(i)} },
	} {
		ls, now := newLines(learns), time.Now()
		for i := range 20_000 {
			succeeds(ls, key(i), now)
		}
		if len(ls.byKey) > maxBlank || len(ls.accounts) > maxBlank || ls.bytes > maxBlank*7<<10 {
			t.Errorf("%s: %d limiters of %d credentials are kept, of %d bytes", name, len(ls.byKey), len(ls.accounts), ls.bytes)
		}
		if ls.byKey[key(19_999)] == nil {
			t.Errorf("%s: nothing is kept of the latest", name)
		}
		if ls.tidy(now.Add(youngTime)) || ls.bytes != 0 {
			t.Errorf("%s: %d bytes are kept after two minutes", name, ls.bytes)
		}
	}
}

// TestLines_WhatWasLearnedOutlastsThoseThatTellNothing has one that an answer told a limit, that
// was refused, that let many go at once, and whose limit is configured.
func TestLines_WhatWasLearnedOutlastsThoseThatTellNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		set  limit.Settings
		does func(ls *lines, key lineKey, now time.Time)
	}{
		"told": {learns, func(ls *lines, key lineKey, now time.Time) { calls(ls, key, now, true) }},
		"refused": {learns, func(ls *lines, key lineKey, now time.Time) {
			pl := enters(ls, key, now)
			pl.sent(now, pl.turn)
			pl.line.refused(pl, now, limit.Refusal{Hint: time.Second})
			pl.ends(now)
		}},
		"many at once": {learns, func(ls *lines, key lineKey, now time.Time) {
			for range 5 {
				pl := enters(ls, key, now)
				for at := now; !pl.admitted(); at = at.Add(100 * time.Millisecond) {
					pl.line.turnstile.Load().release(at)
				}
				pl.sent(now, pl.turn)
				pl.ends(now)
			}
		}},
		"configured": {limit.Settings{RPM: 60, QueueMax: 100}, func(*lines, lineKey, time.Time) {}},
	} {
		ls, now := newLines(tt.set), time.Now()
		key := lineKey{credentialOf(1), "m"}
		first := enters(ls, key, now)
		first.sent(now, first.turn)
		ls.prove(first.line, now)
		first.ends(now)
		tt.does(ls, key, now)
		for i := range 1000 {
			succeeds(ls, lineKey{credentialOf(i + 2), "m"}, now)
		}
		if ls.byKey[key] != first.line {
			t.Errorf("%s: what was learned was forgotten", name)
		}
	}
}
