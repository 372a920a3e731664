package limit

import (
	"testing"
	"time"
)

// tokensLeft are headers of 30,000 tokens per minute of which so many are left.
func tokensLeft(left float64) Headers {
	return Headers{Readings: []Reading{{
		Dimension: "tokens", Limit: 30_000, Remaining: left, Resolution: time.Millisecond,
		Reset: time.Duration((30_000 - left) / 500 * float64(time.Second)),
	}}}
}

// chargedOnce returns a limiter that one request without a bound to its output has shown to be
// charged 6,500 tokens, by the text of a refusal.
func chargedOnce(t *testing.T) *Limiter {
	t.Helper()
	l := New(learning, origin)
	l.ramp.Stop()
	w := pass(t, l, 0, &Waiter{Tokens: 10, Unbounded: true})
	l.Refused(at(time.Millisecond), w, Refusal{Dimension: "tokens", Limit: 30_000, Used: 26_000, Requested: 6500, Window: time.Minute, Hint: 5 * time.Second})
	l.Leave(at(time.Millisecond), w)
	return l
}

func TestCharge_RequestedSetsTheConstantOfItsKindAlone(t *testing.T) {
	l := chargedOnce(t)
	b := l.bucket(slotTokens)
	for name, tt := range map[string]struct {
		w    Waiter
		want float64
	}{
		"the same":        {Waiter{Tokens: 10, Unbounded: true}, 6500},
		"a longer prompt": {Waiter{Tokens: 1010, Unbounded: true}, 7500},
		"a bound":         {Waiter{Tokens: 500}, 500},
		"over the limit":  {Waiter{Tokens: 25_000, Unbounded: true}, 30_000},
	} {
		if got := b.price(unitToken, tt.w.amounts()); got != tt.want {
			t.Errorf("%s: %v tokens, want %v", name, got, tt.want)
		}
	}
	if l.neverFits(&Waiter{Tokens: 25_000, Unbounded: true}) {
		t.Error("a request that fits by its estimate is turned away for what others were charged")
	}
}

func TestCharge_WhatRemainingFellByLowersTheConstantAndDoesNotRaiseIt(t *testing.T) {
	for name, tt := range map[string]struct{ fell, least, most float64 }{
		"less":    {3000, 2900, 3100},
		"as much": {6600, 6400, 6600},
		"more":    {12_000, 6400, 6600},
	} {
		l := chargedOnce(t)
		l.answer(t, 20*time.Second, &Waiter{Tokens: 10, Unbounded: true}, nil)
		for i, left := range []float64{14_000, 14_000 + 25*500 - tt.fell} {
			d := time.Minute + time.Duration(i)*25*time.Second
			w := pass(t, l, d, &Waiter{Tokens: 10, Unbounded: true})
			l.Answered(at(d), w, tokensLeft(left))
		}
		b := l.bucket(slotTokens)
		if got := b.price(unitToken, (&Waiter{Tokens: 10, Unbounded: true}).amounts()); got < tt.least || got > tt.most {
			t.Errorf("%s: %v tokens after remaining fell by %v, want %v to %v", name, got, tt.fell, tt.least, tt.most)
		}
	}
}

// TestCharge_RefusedRequestsLeaveNoDebt has ten go out before their charge is known. An
// answer then counts them at 6,500 each, and they are refused.
func TestCharge_RefusedRequestsLeaveNoDebt(t *testing.T) {
	l := New(learning, origin)
	l.ramp.Stop()
	l.answer(t, 0, &Waiter{Tokens: 10, Unbounded: true}, nil)
	var all []*Waiter
	for i := range 10 {
		all = append(all, pass(t, l, time.Duration(i)*time.Millisecond, &Waiter{Tokens: 10, Unbounded: true}))
	}
	refuse := func(w *Waiter, left float64) {
		l.Refused(at(50*time.Millisecond), w, Refusal{Dimension: "tokens", Limit: 30_000, Used: 30_000 - left, Requested: 6500, Window: time.Minute, Headers: tokensLeft(left)})
		l.Leave(at(50*time.Millisecond), w)
	}
	refuse(all[0], 4000)
	l.Answered(at(50*time.Millisecond), all[1], tokensLeft(4000))
	b := l.bucket(slotTokens)
	if level := b.level(at(50*time.Millisecond)) / milli; level > -40_000 {
		t.Fatalf("level %v while eight are under way, want each counted", level)
	}
	for _, w := range all[2:] {
		refuse(w, 4000)
	}
	if level := b.level(at(50*time.Millisecond)) / milli; level < -6500 || level > 4100 {
		t.Errorf("level %v after all were refused, want no debt for them", level)
	}
}

// TestFall_OnlyAStairOfEqualStepsShowsACharge: what others use is as large now and then.
func TestFall_OnlyAStairOfEqualStepsShowsACharge(t *testing.T) {
	ms := time.Millisecond
	tests := map[string]struct {
		sent []time.Duration
		left []float64
		want float64
	}{
		"a stair":                     {[]time.Duration{0, 0, ms, ms}, []float64{17_000, 23_500, 10_500, 4000}, 26_000},
		"two answers":                 {[]time.Duration{0, 0}, []float64{23_500, 17_000}, 0},
		"one large step":              {[]time.Duration{0, 0, ms, ms}, []float64{23_500, 23_495, 16_995, 16_990}, 0},
		"others over a longer time":   {[]time.Duration{0, 100 * ms, 200 * ms}, []float64{23_500, 23_350, 23_200}, 0},
		"the minute turned meanwhile": {[]time.Duration{0, 100 * ms, 200 * ms}, []float64{4000, 17_000, 30_000}, 0},
	}
	for name, tt := range tests {
		var f fall
		for i, left := range tt.left {
			f.see(&Waiter{sent: tt.sent[i]}, Reading{Remaining: left, Reset: -1}, amounts{})
		}
		got, _ := f.charged(500)
		if slack := 4 * 500 * 0.001 * 4 / 3; got > tt.want || got < tt.want-slack {
			t.Errorf("%s: charged %v, want %v", name, got, tt.want)
		}
	}
}
