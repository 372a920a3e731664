package limit

import (
	"testing"
	"time"
)

// nextAfter answers one request with these headers, and returns how long the next one waits.
func nextAfter(t *testing.T, l *Limiter, h map[string][]string) time.Duration {
	t.Helper()
	l.answer(t, 0, &Waiter{Tokens: 10}, h)
	return sendAt(t, l, time.Millisecond, &Waiter{Tokens: 10})
}

// sendAt sends a request that comes at d when its turn is, and returns how long it waited.
func sendAt(t *testing.T, l *Limiter, d time.Duration, w *Waiter) time.Duration {
	t.Helper()
	now := at(d)
	for l.Enter(now, w); w.state != stateAdmitted; {
		next := l.Release(now, func(*Waiter) {})
		if w.state != stateAdmitted && !next.After(now) {
			t.Fatalf("not let through at %v, and nothing is to come", now.Sub(origin))
		}
		if w.state != stateAdmitted {
			now = next
		}
	}
	l.Sent(now, w)
	return now.Sub(at(d))
}

// TestNothingPassesBeforeTheResetThatRateLimitTells: by the drafts nothing more is served until then, and all after it.
func TestNothingPassesBeforeTheResetThatRateLimitTells(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	tests := map[string]struct {
		header      map[string][]string
		least, most time.Duration
	}{
		"the draft's fields":       {header("Ratelimit", `"api";r=0;t=5`, "Ratelimit-Policy", `"api";q=100;w=60`), 5 * s, 5*s + 50*ms},
		"without a policy":         {header("Ratelimit", `"api"; r=0; t=5`), 5 * s, 5*s + 50*ms},
		"draft 7":                  {header("Ratelimit", "limit=100, remaining=0, reset=5", "Ratelimit-Policy", "100;w=60"), 5 * s, 5*s + 50*ms},
		"draft 3":                  {header("Ratelimit-Limit", "100", "Ratelimit-Remaining", "0", "Ratelimit-Reset", "5"), 5 * s, 5*s + 50*ms},
		"several lines":            {header("Ratelimit", `"burst";r=50;t=1`, "Ratelimit", `"perminute";r=0;t=5`), 5 * s, 5*s + 50*ms},
		"two windows":              {header("Ratelimit", `"m";r=0;t=5, "q";r=400;t=200`, "Ratelimit-Policy", `"m";q=50;w=60, "q";q=500;w=300`), 5 * s, 5*s + 50*ms},
		"a token for a name":       {header("Ratelimit", "default;r=0;t=5"), 5 * s, 5*s + 50*ms},
		"parameters nobody knows":  {header("Ratelimit", `"api";pk=:dGVzdA==:;r=0;t=5;x=?1`), 5 * s, 5*s + 50*ms},
		"of tokens":                {header("Ratelimit", `"tpm";r=0;t=7`, "Ratelimit-Policy", `"tpm";q=4000;w=60;qu="tokens"`), 7 * s, 7*s + 100*ms},
		"of an hour":               {header("Ratelimit", `"h";r=0;t=40`, "Ratelimit-Policy", `"h";q=4000;w=3600`), 40 * s, 41 * s},
		"far away: one tries":      {header("Ratelimit", `"d";r=0;t=40000`, "Ratelimit-Policy", `"d";q=90000;w=86400`), 59 * s, 61 * s},
		"one remains":              {header("Ratelimit", `"api";r=1;t=5`, "Ratelimit-Policy", `"api";q=500;w=60`), 0, 200 * ms},
		"it is now":                {header("Ratelimit", `"api";r=0;t=0`), 0, 200 * ms},
		"no time":                  {header("Ratelimit", `"api";r=0`), 0, 200 * ms},
		"what is not counted here": {header("Ratelimit", `"c";r=0;t=50`, "Ratelimit-Policy", `"c";q=4;qu="concurrent-requests"`), 0, 200 * ms},
		"garbage":                  {header("Ratelimit", `;;;r=,,"`), 0, 200 * ms},
		"OpenAI's own headers tell when all is there again": {
			header("X-Ratelimit-Limit-Requests", "500", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "60s"), 0, 1100 * ms,
		},
		"a bare reset without the draft's names": {
			header("X-Ratelimit-Limit", "500", "X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset", "60", "Ratelimit-Policy", "500;w=60"), 0, 1100 * ms,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			if got := nextAfter(t, l, tt.header); got < tt.least || got > tt.most {
				t.Errorf("the next one waits %v, want %v to %v", got, tt.least, tt.most)
			}
		})
	}
}

// TestNoMorePassThanRateLimitSaysRemain, and after the reset the next ones do.
func TestNoMorePassThanRateLimitSaysRemain(t *testing.T) {
	for name, h := range map[string]map[string][]string{
		"with a policy": header("Ratelimit", `"api";r=3;t=8`, "Ratelimit-Policy", `"api";q=600;w=60`),
		"without one":   header("Ratelimit", `"api";r=3;t=8`),
	} {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			l.answer(t, 0, &Waiter{}, h)
			for range 10 {
				l.Enter(at(time.Millisecond), &Waiter{})
			}
			early := 0
			for d := time.Millisecond; d < 8*time.Second; d += 20 * time.Millisecond {
				l.Release(at(d), func(w *Waiter) { early++; l.Sent(at(d), w) })
			}
			early += int(l.taken[unitRequest]) - 1 - early // those that Enter let through
			if early != 3 {
				t.Errorf("%d passed before the reset, want 3", early)
			}
			late := 0
			for d := 8 * time.Second; d < 12*time.Second; d += 20 * time.Millisecond {
				l.Release(at(d), func(w *Waiter) { late++; l.Sent(at(d), w) })
			}
			if late != 7 {
				t.Errorf("%d passed after it, want 7", late)
			}
		})
	}
}

// TestARateLimitThatIsWrongHoldsNobodyForLong: it says for ever that nothing remains for an hour, and serves.
func TestARateLimitThatIsWrongHoldsNobodyForLong(t *testing.T) {
	l, h := New(learning, origin), ParseHeaders(header("Ratelimit", `"api";r=0;t=3600`), origin)
	var now, waited time.Duration
	for i := range 100 {
		w := &Waiter{}
		took := sendAt(t, l, now, w)
		now += took + 10*time.Millisecond
		l.Answered(at(now), w, h)
		if waited += took; i > 2 && took > 2*time.Second {
			t.Fatalf("request %d waited %v", i, took)
		}
	}
	if waited > 70*time.Second {
		t.Errorf("100 requests waited %v, want hardly more than the minute until one tries", waited)
	}
}

// TestAWaitThatARefusalNamesCountsBeforeRateLimit (draft-ietf-httpapi-ratelimit-headers, section 5.1).
func TestAWaitThatARefusalNamesCountsBeforeRateLimit(t *testing.T) {
	l := New(learning, origin)
	first, second := pass(t, l, 0, &Waiter{}), pass(t, l, time.Millisecond, &Waiter{})
	l.Answered(at(5*time.Millisecond), first, ParseHeaders(header("Ratelimit", `"api";r=0;t=50`), origin))
	l.Refused(at(10*time.Millisecond), second, Refusal{Hint: 4 * time.Second})
	var released time.Duration
	for d := 10 * time.Millisecond; d < 50*time.Second && released == 0; d += 10 * time.Millisecond {
		l.Release(at(d), func(*Waiter) { released = d })
	}
	if released < 4*time.Second || released > 6*time.Second {
		t.Errorf("it came back at %v, want after 4s", released)
	}
}

// TestWhoCannotWaitForTheResetIsToldAtOnce.
func TestWhoCannotWaitForTheResetIsToldAtOnce(t *testing.T) {
	l := New(learning, origin)
	l.answer(t, 0, &Waiter{}, header("Ratelimit", `"api";r=0;t=50`))
	d := l.Enter(at(time.Second), &Waiter{Deadline: at(20 * time.Second)})
	if d.Reason != TooLate || d.Wait < 45*time.Second || d.Wait > 50*time.Second {
		t.Errorf("%v with %v, want TooLate with about 49s", d.Reason, d.Wait)
	}
}

// TestWhatRateLimitSaysHoldsForThoseThatGoOnAsOne, and for those that part.
func TestWhatRateLimitSaysHoldsForThoseThatGoOnAsOne(t *testing.T) {
	l, other := New(learning, origin), New(learning, at(-time.Minute))
	other.answer(t, 0, &Waiter{}, header("Ratelimit", `"api";r=0;t=5`))
	l.Absorb(at(time.Second), other)
	part := l.Split(at(time.Second), func(*Waiter) bool { return false })
	if got := sendAt(t, part, 2*time.Second, &Waiter{}); got < 2900*time.Millisecond || got > 3100*time.Millisecond {
		t.Errorf("after they parted: %v, want 3s", got)
	}
	if got := sendAt(t, l, 2*time.Second, &Waiter{}); got < 2900*time.Millisecond || got > 3100*time.Millisecond {
		t.Errorf("as one: %v, want 3s", got)
	}
}
