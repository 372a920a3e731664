package limit

import (
	"cmp"
	"testing"
	"time"
)

// impatient is for an operator who lets nobody wait for over a minute.
var impatient = Settings{Learn: true, Longest: time.Minute}

var (
	aDay    = Refusal{Limit: 50, Window: 24 * time.Hour, Hint: 66552 * time.Second}
	aDaysTk = Refusal{Dimension: "tokens", Limit: 100_000, Used: 99_999, Requested: 518, Hint: 446688 * time.Millisecond, Window: 24 * time.Hour}
)

// refusedOnce returns a limiter that one request was refused at, of 518 tokens unless the refusal names another number.
func refusedOnce(t *testing.T, set Settings, r Refusal) *Limiter {
	t.Helper()
	l := New(set, origin)
	w := pass(t, l, 0, &Waiter{Tokens: int(cmp.Or(r.Requested, 518))})
	l.Refused(at(10*time.Millisecond), w, r)
	l.Leave(at(10*time.Millisecond), w)
	return l
}

// TestAProvenLongWaitIsToldToThoseThatComeAfter, and one that nothing proves, or that is waited for, is not.
func TestAProvenLongWaitIsToldToThoseThatComeAfter(t *testing.T) {
	patient := impatient
	patient.Longest = 24 * time.Hour
	for name, tt := range map[string]struct {
		set    Settings
		told   Refusal
		tokens int
		want   Reason
	}{
		"a day's requests":            {impatient, aDay, 518, Barred},
		"a day's tokens":              {impatient, aDaysTk, 518, Barred},
		"an hour's":                   {impatient, Refusal{Dimension: "requests", Limit: 100, Used: 100, Requested: 3, Hint: 108 * time.Second, Window: time.Hour}, 1, Barred},
		"a window that was not named": {impatient, Refusal{Dimension: "requests", Limit: 1440, Used: 1440, Requested: 2, Hint: 2 * time.Minute}, 1, Barred},
		"who needs no more than is left": {
			impatient, Refusal{Dimension: "tokens", Limit: 100_000, Used: 99_000, Requested: 5000, Hint: 3456 * time.Second, Window: 24 * time.Hour}, 500, Queued,
		},
		"who is to wait":               {patient, aDay, 518, Queued},
		"nothing is told":              {impatient, Refusal{Hint: time.Hour}, 1, Admitted},
		"a window alone":               {impatient, Refusal{Hint: time.Hour, Window: 24 * time.Hour}, 1, Admitted},
		"longer than the window":       {impatient, Refusal{Limit: 50, Window: time.Hour, Hint: 10 * time.Hour}, 1, Admitted},
		"a minute's limit":             {impatient, Refusal{Limit: 50, Window: time.Minute, Hint: time.Hour}, 1, Admitted},
		"numbers that do not fit":      {impatient, Refusal{Limit: 200, Used: 200, Requested: 1, Hint: 10 * time.Hour, Window: 24 * time.Hour}, 1, Admitted},
		"one that is known to be none": {impatient, Refusal{Limit: 50, Window: 24 * time.Hour, Hint: 24 * time.Hour, HintFalse: true}, 1, Queued},
		"a request that never fits":    {impatient, Refusal{Limit: 50, Requested: 60, Window: 24 * time.Hour, Hint: 24 * time.Hour}, 1, Admitted},
	} {
		t.Run(name, func(t *testing.T) {
			l := refusedOnce(t, tt.set, tt.told)
			d := l.Enter(at(30*time.Second), &Waiter{Tokens: tt.tokens})
			if tt.want == Queued && d.Reason == Admitted {
				return // it waits for little or nothing
			}
			if d.Reason != tt.want {
				t.Fatalf("the next one is %v, want %v", d, tt.want)
			}
			if want := tt.told.Hint - 30*time.Second + 10*time.Millisecond; d.Reason == Barred && d.Wait != want {
				t.Errorf("told %v, want %v", d.Wait, want)
			}
		})
	}
}

// TestOneAMinuteTriesWhetherALongWaitStillHolds.
func TestOneAMinuteTriesWhetherALongWaitStillHolds(t *testing.T) {
	for name, r := range map[string]Refusal{"requests": aDay, "tokens": aDaysTk} {
		t.Run(name, func(t *testing.T) {
			l, tries := refusedOnce(t, impatient, r), 0
			for d := time.Second; d < 5*time.Minute+30*time.Second; d += time.Second {
				w := &Waiter{Tokens: 518}
				switch got := l.Enter(at(d), w); got.Reason {
				case Barred:
				case Admitted:
					tries++
					l.Sent(at(d), w)
					again := r
					again.Hint -= d
					if again.Used > 0 {
						again.Used -= d.Seconds() * r.Limit / r.Window.Seconds()
					}
					l.Refused(at(d+10*time.Millisecond), w, again)
					l.Leave(at(d+10*time.Millisecond), w)
				default:
					t.Fatalf("at %v: %v", d, got)
				}
			}
			if tries != 5 {
				t.Errorf("%d tried in five minutes and a half, want 5", tries)
			}
		})
	}
}

// TestALongWaitThatIsWrongHoldsNobodyOnceOneHasPassed, and is not believed again for ten minutes.
func TestALongWaitThatIsWrongHoldsNobodyOnceOneHasPassed(t *testing.T) {
	for name, r := range map[string]Refusal{"requests": aDay, "tokens": aDaysTk} {
		t.Run(name, func(t *testing.T) {
			l := refusedOnce(t, impatient, r)
			try := &Waiter{Tokens: 518}
			pass(t, l, 61*time.Second, try)
			if d := l.Enter(at(61*time.Second), &Waiter{Tokens: 518}); d.Reason != Barred {
				t.Errorf("beside the one that tries: %v, want Barred", d)
			}
			l.Answered(at(62*time.Second), try, Headers{})
			for i := range 5 {
				w := pass(t, l, 63*time.Second+time.Duration(i)*time.Second, &Waiter{Tokens: 518})
				l.Answered(at(63500*time.Millisecond+time.Duration(i)*time.Second), w, Headers{})
			}
			w := pass(t, l, 70*time.Second, &Waiter{Tokens: 518})
			l.Refused(at(71*time.Second), w, r)
			l.Leave(at(71*time.Second), w)
			if d := l.Enter(at(72*time.Second), &Waiter{Tokens: 518}); d.Reason == Barred {
				t.Error("it is believed again")
			}
		})
	}
}

// TestThoseInLineAreToldOfALongWaitToo: else each would wait for its turn to be refused.
func TestThoseInLineAreToldOfALongWaitToo(t *testing.T) {
	set := impatient
	set.RPM = 60
	l := New(set, origin)
	first := pass(t, l, 0, &Waiter{Tokens: 518})
	for range 5 {
		l.Enter(at(time.Millisecond), &Waiter{Tokens: 518})
	}
	l.Refused(at(10*time.Millisecond), first, aDaysTk)
	told := 0
	l.Expel(at(10*time.Millisecond), func(_ *Waiter, d Decision) {
		if d.Reason == Barred {
			told++
		}
	})
	if told < 5 {
		t.Errorf("%d were told, want all", told)
	}
}

// TestAfterALongWaitAllGoOn.
func TestAfterALongWaitAllGoOn(t *testing.T) {
	l := refusedOnce(t, impatient, aDaysTk)
	if d := l.Enter(at(400*time.Second), &Waiter{Tokens: 518}); d.Reason != Queued && d.Reason != Admitted {
		t.Errorf("under a minute before its end: %v", d)
	}
}
