package limit

import (
	"testing"
	"time"
	"unsafe"
)

// TestSizeIsWhatALimiterTakes holds the numbers to the types: memory is bounded by them.
func TestSizeIsWhatALimiterTakes(t *testing.T) {
	for name, tt := range map[string]struct {
		said int
		is   uintptr
	}{
		"limiter": {limiterBytes, unsafe.Sizeof(Limiter{})},
		"bucket":  {bucketBytes, unsafe.Sizeof(bucket{})},
		"quotas":  {quotaBytes, unsafe.Sizeof([slots]allowance{})},
		"legacy":  {legacyBytes, unsafe.Sizeof(legacy{}) + unsafe.Sizeof(&legacy{})},
	} {
		if is := int(tt.is); tt.said < is || tt.said > is*5/4+64 {
			t.Errorf("%s: %d bytes are said, and it is %d", name, tt.said, is)
		}
	}
	l := New(learning, origin)
	if got := l.Size(); got != limiterBytes {
		t.Errorf("a new one takes %d bytes, want nothing beside itself", got)
	}
	l.answer(t, 0, &Waiter{}, limits("Requests", "1000", "100", "1s"))
	if got := l.Size(); got < limiterBytes+bucketBytes {
		t.Errorf("one that knows a limit takes %d bytes", got)
	}
}

func TestALimiterIsBlankWhenANewOneWouldDo(t *testing.T) {
	const second, minute = time.Second, time.Minute
	configured := Settings{RPM: 60, Learn: true}
	for name, tt := range map[string]struct {
		set  Settings
		do   func(*Limiter)
		at   time.Duration
		want bool
	}{
		"new":                         {learning, func(*Limiter) {}, 0, true},
		"used":                        {learning, func(l *Limiter) { pass(t, l, 0, &Waiter{}) }, second, true},
		"somebody waits":              {learning, func(l *Limiter) { enterAll(l, 0, &Waiter{}, &Waiter{}, &Waiter{}, &Waiter{}, &Waiter{}) }, second, false},
		"told a limit":                {learning, func(l *Limiter) { l.answer(t, 0, &Waiter{}, limits("Requests", "1000", "100", "1s")) }, second, false},
		"refused":                     {learning, func(l *Limiter) { l.Refused(at(0), pass(t, l, 0, &Waiter{}), Refusal{}) }, second, false},
		"configured, used":            {configured, func(l *Limiter) { pass(t, l, 0, &Waiter{}) }, second, false},
		"configured, used long ago":   {configured, func(l *Limiter) { pass(t, l, 0, &Waiter{}) }, minute, true},
		"configured, rejected lately": {configured, func(l *Limiter) { l.Rejected(at(minute), pass(t, l, 0, &Waiter{})) }, minute + second, false},
	} {
		l := New(tt.set, origin)
		tt.do(l)
		if got := l.Blank(at(tt.at)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestALimiterIsUntriedWhileANewOneLetsAsMuchGo(t *testing.T) {
	for name, tt := range map[string]struct {
		set  Settings
		sent int
		want bool
	}{
		"new":                        {learning, 0, true},
		"one call":                   {learning, 1, true},
		"as many as go at once":      {learning, coldQuota, true},
		"more":                       {learning, coldQuota + 1, false},
		"more, where nothing paces":  {Settings{}, 100, true},
		"configured, and used now":   {Settings{RPM: 6000}, 1, false},
		"configured, and never used": {Settings{RPM: 6000}, 0, false},
	} {
		l := New(tt.set, origin)
		now := time.Duration(0)
		for range tt.sent {
			w := &Waiter{}
			for l.Enter(at(now), w).Reason != Admitted {
				l.Leave(at(now), w)
				now += 10 * time.Millisecond
			}
			l.Sent(at(now), w)
			l.Answered(at(now), w, Headers{})
		}
		if got := l.Untried(at(now)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestARejectedCallGivesItsTokensBack has the whole limit asked for twice: the first time by a
// call that is rejected.
func TestARejectedCallGivesItsTokensBack(t *testing.T) {
	for name, tt := range map[string]struct {
		ends func(*Limiter, *Waiter)
		want bool
	}{
		"rejected":         {func(l *Limiter, w *Waiter) { l.Rejected(at(time.Second), w) }, true},
		"rejected, twice":  {func(l *Limiter, w *Waiter) { l.Rejected(at(time.Second), w); l.Rejected(at(time.Second), w) }, true},
		"answered":         {func(l *Limiter, w *Waiter) { l.Answered(at(time.Second), w, Headers{}) }, false},
		"never heard from": {func(*Limiter, *Waiter) {}, false},
	} {
		l := New(Settings{TPM: 60_000, RPM: 60_000}, origin)
		tt.ends(l, pass(t, l, 0, &Waiter{Tokens: 59_000}))
		next := &Waiter{Tokens: 500}
		if got := l.Enter(at(time.Second), next).Reason == Admitted; got != tt.want {
			t.Errorf("%s: the next one is admitted: %v", name, got)
		}
		if more := l.at(slotTokens).level(at(time.Second)); more > 59_000*milli {
			t.Errorf("%s: %v are there, more than were before", name, more)
		}
		if requests := l.refused[unitRequest]; requests != 0 {
			t.Errorf("%s: %d requests were given back, and providers count them", name, requests)
		}
	}
}
