package classify

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"outrigger/policy/classify/hint"
	"outrigger/policy/endpoint"
)

// FuzzClassify holds what is true of every verdict, whatever an upstream sends.
func FuzzClassify(f *testing.F) {
	for _, row := range corpus(f) {
		a := row.attempt()
		f.Add(a.Status, string(a.Body), a.Event, first(a.Header, "Retry-After"), "", uint8(0), uint8(0), a.Stream)
	}
	for _, tt := range ruleTable {
		a := tt.in
		f.Add(a.Status, string(a.Body), a.Event, first(a.Header, "Retry-After"), first(a.Header, "X-Should-Retry"),
			uint8(a.Failure), uint8(a.Progress), a.Stream)
	}
	f.Fuzz(func(t *testing.T, status int, body, name, retryAfter, shouldRetry string, failure, progress uint8, stream bool) {
		if len(body) > 64<<10 {
			return
		}
		a := Attempt{
			Status: status, Body: []byte(body), Event: name, Stream: stream, Now: testNow,
			Failure: Failure(failure % 8), Progress: Progress(progress % 4),
			Header: http.Header{"Retry-After": {retryAfter}, "X-Should-Retry": {shouldRetry}, "X-Ratelimit-Reset": {retryAfter}, "Date": {retryAfter}, "Ratelimit": {retryAfter}},
		}
		for effect := range endpoint.Create + 1 {
			a.Effect = effect
			v := Classify(a)
			if again := Classify(a); v != again {
				t.Fatalf("twice the same gave\n%+v and\n%+v", v, again)
			}
			checkVerdict(t, a, v)
		}
	})
}

func checkVerdict(t *testing.T, a Attempt, v Verdict) {
	t.Helper()
	create := a.Effect == endpoint.Create
	claims := map[string]bool{
		"a wait is not negative and not over a year":        v.Wait >= 0 && v.Wait <= hint.Max,
		"a hint is false only if there is one":              !v.HintFalse || v.Wait > 0,
		"an instant lies ahead":                             v.Until.IsZero() || v.Until.After(a.Now),
		"what is never repeated does not pause":             v.Repeat != Never || v.Limiter == LimiterNone,
		"a pause has a limiter":                             v.Repeat != Pause || v.Limiter != LimiterNone,
		"what is ambiguous is a create, never repeated":     !v.Ambiguous || (create && v.Repeat == Never),
		"a repeated create was surely not carried out":      !create || v.Repeat == Never || !mayHaveRunAtAll(a, v),
		"a trip belongs to a credential or a model":         !v.Trip || v.Scope == Credential || v.Scope == Model,
		"a trip is final":                                   !v.Trip || v.Repeat == Never,
		"a 404 is not remembered for its model":             v.Status != 404 || v.Outcome != OutcomeModel || !v.Trip,
		"a success costs nothing":                           v.Outcome != OutcomeOK || (v.Breaker == Success && v.Limiter == LimiterNone),
		"every verdict names its rule":                      v.Rule != "",
		"limits are not negative":                           v.Limit.Limit >= 0 && v.Limit.Used >= 0 && v.Limit.Requested >= 0 && v.Limit.Window >= 0,
		"a valid message stays valid":                       !utf8.Valid(a.Body) || utf8.ValidString(v.Error.Message),
		"a caller that left is neither success nor fault":   a.Failure != Canceled || v.Breaker == Ignore,
		"a 429 that says quota waits only with proof of it": !quotaWithoutProof(a) || v.Repeat == Never,
	}
	for claim, holds := range claims {
		if !holds {
			t.Fatalf("%s: %+v", claim, v)
		}
	}
}

// mayHaveRunAtAll is mayHaveRun in the words of the design, less the exception for aiand.
func mayHaveRunAtAll(a Attempt, v Verdict) bool {
	if a.Failure != None || a.Status == 0 {
		return a.Failure != Unreachable && a.Failure != Refused && (a.Progress != NotSent || a.Status != 0)
	}
	switch a.Status {
	case 500, 502, 504, 520, 522, 524:
		return v.Rule != "inference_unreached"
	}
	return a.Status < 300
}

// quotaWithoutProof reports a plain 429 with the sentence, nothing of Google's and no link that says what it means.
func quotaWithoutProof(a Attempt) bool {
	r := read(a)
	return a.Failure == None && a.Status == 429 && saysQuota(r) && !googleExhausted(r) && !throttlePage(r)
}

// FuzzHints holds that waits, limits and instants stay within bounds, and that the parts agree.
func FuzzHints(f *testing.F) {
	for _, s := range []string{
		"12", "1.5", "NaN", "-1", "7m12s", "1.984999999s", "Sun, 01 Feb 2026 12:00:30 GMT", "2026-02-01T12:00:20Z",
		"1741305600000", "try again in 7m12s", "Limit: 25/5min. Current: 27/5min", "(actual/limit): 65605/16000",
		"regain access on 2026-09-01 at 00:00 utc", "(reset after 4s)", "retry in 00:01:30", "resets feb 3 at 3pm (utc)", "wait 5-10 seconds",
		"tomorrow at 08:00 utc", "resets at the start of the next month", "retry-after: 21", "30 seconds until reset", "PT1M30S", "Limit 7000, Used 0, Requested ~12903",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		bounded := func(what string, wait time.Duration, ok bool) {
			if wait < 0 || wait > hint.Max || (!ok && wait != 0) {
				t.Fatalf("%s of %q: %v, %v", what, s, wait, ok)
			}
		}
		for _, name := range []string{"Retry-After", "Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
			wait, ok := RetryAfter(http.Header{name: {s}}, testNow)
			bounded(name, wait, ok)
		}
		told, at := hint.InText(strings.ToLower(s), testNow)
		bounded("text", told, true)
		if !at.IsZero() && (at.Location() != time.UTC || !at.After(testNow) || at.Sub(testNow) > hint.Max) {
			t.Fatalf("instant of %q: %v", s, at)
		}
		wait, ok := hint.Duration(s)
		bounded("duration", wait, ok)
		if header, _ := RetryAfter(http.Header{"Retry-After": {s}}, testNow); ok && header != wait {
			t.Fatalf("%q is %v as a duration and %v as a header", s, wait, header)
		}
		bounded("reset", resetValue(s, testNow), true)
		l := (&reply{said: said{text: s}}).limits()
		if l.Limit < 0 || l.Used < 0 || l.Requested < 0 || l.Window < 0 {
			t.Fatalf("limits of %q: %+v", s, l)
		}
		for _, name := range []string{s, "retry_after", "resetAt"} {
			h := fieldHint(name, s, testNow)
			bounded("field", h.Wait, true)
			if again := fieldHint(name, s, testNow); again != h {
				t.Fatalf("field %q: %+v, then %+v", s, h, again)
			}
		}
	})
}
