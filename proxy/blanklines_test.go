package proxy

import (
	"fmt"
	"testing"
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/admission"
)

// succeeds makes a call that is answered well, by an upstream that tells no limit.
func succeeds(ls *admission.Queues, key admission.Key, now time.Time) {
	pl := enters(ls, key, now)
	pl.Sent(now, pl.Turn)
	ls.Prove(pl.Line, now)
	pl.Answered(now, limit.Told{})
	end(pl, now)
}

func TestLines_LittleIsKeptWhereAnswersTellNothing(t *testing.T) {
	for name, key := range map[string]func(i int) admission.Key{
		"credentials": func(i int) admission.Key { return admission.Key{Credential: credentialOf(i), Model: "m"} },
		"models": func(i int) admission.Key {
			return admission.Key{Credential: credentialOf(1), Model: fmt.Sprint("m", i)}
		},
		"both": func(i int) admission.Key {
			return admission.Key{Credential: credentialOf(i), Model: fmt.Sprint("m", i)}
		},
		"calls without a model": func(i int) admission.Key { return admission.Key{Credential: credentialOf(i)} },
	} {
		ls, now := admission.NewLines(learns), time.Now()
		for i := range 20_000 {
			succeeds(ls, key(i), now)
		}
		if len(ls.ByKey) > admission.MaxBlank || len(ls.Accounts) > admission.MaxBlank || ls.Bytes > admission.MaxBlank*7<<10 {
			t.Errorf("%s: %d limiters of %d credentials are kept, of %d bytes", name, len(ls.ByKey), len(ls.Accounts), ls.Bytes)
		}
		if ls.ByKey[key(19_999)] == nil {
			t.Errorf("%s: nothing is kept of the latest", name)
		}
		if ls.Tidy(now.Add(admission.YoungTime)) || ls.Bytes != 0 {
			t.Errorf("%s: %d bytes are kept after two minutes", name, ls.Bytes)
		}
	}
}

// TestLines_WhatWasLearnedOutlastsThoseThatTellNothing has one that an answer told a limit, that
// was refused, that let many go at once, and whose limit is configured.
func TestLines_WhatWasLearnedOutlastsThoseThatTellNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		set  limit.Settings
		does func(ls *admission.Queues, key admission.Key, now time.Time)
	}{
		"told": {learns, func(ls *admission.Queues, key admission.Key, now time.Time) { calls(ls, key, now, true) }},
		"refused": {learns, func(ls *admission.Queues, key admission.Key, now time.Time) {
			pl := enters(ls, key, now)
			pl.Sent(now, pl.Turn)
			pl.Line.Refused(pl, now, limit.Refusal{Hint: time.Second})
			end(pl, now)
		}},
		"many at once": {learns, func(ls *admission.Queues, key admission.Key, now time.Time) {
			for range 5 {
				pl := enters(ls, key, now)
				for at := now; !pl.Admitted(); at = at.Add(100 * time.Millisecond) {
					pl.Line.Turnstile.Load().Release(at)
				}
				pl.Sent(now, pl.Turn)
				end(pl, now)
			}
		}},
		"configured": {limit.Settings{RPM: 60, QueueMax: 100}, func(*admission.Queues, admission.Key, time.Time) {}},
	} {
		ls, now := admission.NewLines(tt.set), time.Now()
		key := admission.Key{Credential: credentialOf(1), Model: "m"}
		first := enters(ls, key, now)
		first.Sent(now, first.Turn)
		ls.Prove(first.Line, now)
		end(first, now)
		tt.does(ls, key, now)
		for i := range 1000 {
			succeeds(ls, admission.Key{Credential: credentialOf(i + 2), Model: "m"}, now)
		}
		if ls.ByKey[key] != first.Line {
			t.Errorf("%s: what was learned was forgotten", name)
		}
	}
}
