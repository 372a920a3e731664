package limit

import (
	"slices"
	"testing"
	"time"
)

// enterAll lets waiters in at d and returns what each was told.
func enterAll(l *Limiter, d time.Duration, ws ...*Waiter) []Reason {
	var out []Reason
	for _, w := range ws {
		out = append(out, l.Enter(at(d), w).Reason)
	}
	return out
}

// turn is when the nth after the first goes at 60 per minute: at 98 % of it, with 20 ms
// in hand, but for a thousandth.
func turn(n int) time.Duration { return seconds((float64(n) - 0.019) / pace) }

func TestWaitersGoOutInTheOrderInWhichTheyCame(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	a, b, c, d := &Waiter{}, &Waiter{}, &Waiter{}, &Waiter{}
	if got, want := enterAll(l, 0, a, b, c, d), []Reason{Admitted, Queued, Queued, Queued}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if next := l.Release(at(0), func(*Waiter) { t.Error("admitted too early") }); next.Sub(origin) != turn(1) {
		t.Errorf("the next goes at %v, want %v", next.Sub(origin), turn(1))
	}
	for i, want := range []*Waiter{b, c, d} {
		due := turn(i + 1)
		if got := admits(l, due-time.Millisecond); got != nil {
			t.Errorf("%d admitted before its time", i)
		}
		if got := admits(l, due); !slices.Equal(got, []*Waiter{want}) {
			t.Errorf("at %v: got %v, want waiter %d", due, got, i)
		}
	}
	if next := l.Release(at(time.Hour), nil); !next.IsZero() {
		t.Errorf("with nobody waiting the next is at %v, want never", next)
	}
}

func TestOneThatLeavesMakesRoom(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	ws := make([]*Waiter, 5)
	for i := range ws {
		ws[i] = &Waiter{}
	}
	enterAll(l, 0, ws...)
	l.Leave(at(0), ws[2])
	l.Leave(at(0), ws[2]) // a second time does nothing
	l.Leave(at(0), ws[4])
	if got := l.Snapshot(at(0)).Queue; got != 2 {
		t.Errorf("%d wait, want 2", got)
	}
	for i, want := range []*Waiter{ws[1], ws[3]} {
		if got := admits(l, time.Duration(i+1)*1021*time.Millisecond); !slices.Equal(got, []*Waiter{want}) {
			t.Errorf("%d: got %v", i, got)
		}
	}
}

func TestOneThatWasNotSentGivesItsPermitBack(t *testing.T) {
	l := New(Settings{RPM: 60, TPM: 6000}, origin)
	a, b := &Waiter{Tokens: 100}, &Waiter{Tokens: 100}
	enterAll(l, 0, a, b)
	l.Leave(at(0), a)
	if got := admits(l, 0); !slices.Equal(got, []*Waiter{b}) {
		t.Errorf("got %v, want the next one at once", got)
	}
	l.Sent(at(0), b)
	l.Leave(at(0), b)
	if d := l.Enter(at(0), a); d.Reason != Queued {
		t.Errorf("after one that was sent: %v, want Queued", d)
	}
}

func TestOneThatComesBackKeepsItsPlace(t *testing.T) {
	l := New(Settings{RPM: 60, Learn: true}, origin)
	a, b, c := &Waiter{}, &Waiter{}, &Waiter{}
	enterAll(l, 0, a, b, c)
	l.Sent(at(0), a)
	d := l.Refused(at(10*time.Millisecond), a, Refusal{Hint: 5 * time.Second})
	if d.Reason != Queued || d.Wait < 5*time.Second {
		t.Fatalf("Refused = %v, want Queued for 5s", d)
	}
	for i, want := range []*Waiter{a, b, c} {
		var got []*Waiter
		now := time.Duration(0)
		for got == nil && now < time.Minute {
			now = l.Release(at(now), func(w *Waiter) { got = append(got, w) }).Sub(origin)
			if got == nil && now < 5*time.Second {
				t.Fatalf("the queue moves at %v, before the hint ends", now)
			}
		}
		if !slices.Equal(got, []*Waiter{want}) {
			t.Errorf("%d: got %v", i, got)
		}
		l.Sent(at(now), want)
	}
}

func TestALaterAttemptKeepsItsPlace(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	a, b := &Waiter{}, &Waiter{}
	enterAll(l, 0, a, b)
	l.Sent(at(0), a) // it failed upstream, and backs off for 100 ms
	if d := l.Enter(at(100*time.Millisecond), a); d.Reason != Queued {
		t.Fatalf("got %v, want Queued", d)
	}
	if got := admits(l, 1021*time.Millisecond); !slices.Equal(got, []*Waiter{a}) {
		t.Errorf("got %v, want the one that came first", got)
	}
}

func TestAFullLineTurnsAway(t *testing.T) {
	l := New(Settings{RPM: 60, QueueMax: 2}, origin)
	a, b, c, d := &Waiter{}, &Waiter{}, &Waiter{}, &Waiter{}
	if got, want := enterAll(l, 0, a, b, c, d), []Reason{Admitted, Queued, Queued, QueueFull}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// One that comes back had a place.
	l.Sent(at(0), a)
	if got := l.Refused(at(0), a, Refusal{}); got.Reason != Queued {
		t.Errorf("refused: %v, want Queued", got)
	}
}

func TestAWaitThatOutlastsTheDeadlineIsRefusedAtOnce(t *testing.T) {
	tests := map[string]struct {
		set      Settings
		ahead    int
		deadline time.Duration
		want     Decision
	}{
		"in time":              {Settings{RPM: 60}, 3, 5 * time.Second, Decision{Queued, turn(3)}},
		"too late":             {Settings{RPM: 60}, 5, 5 * time.Second, Decision{TooLate, turn(5)}},
		"the very moment":      {Settings{RPM: 60}, 1, turn(1), Decision{TooLate, turn(1)}},
		"no deadline":          {Settings{RPM: 60}, 50, 0, Decision{Queued, turn(50)}},
		"longest wait":         {Settings{RPM: 60, QueueTimeout: 4 * time.Second}, 4, 0, Decision{TooLate, turn(4)}},
		"within longest wait":  {Settings{RPM: 60, QueueTimeout: 4 * time.Second}, 3, 0, Decision{Queued, turn(3)}},
		"the deadline is past": {Settings{}, 0, -time.Second, Decision{TooLate, 0}},
		"the deadline is now":  {Settings{}, 0, time.Nanosecond * 0, Decision{Admitted, 0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(tt.set, origin)
			for range tt.ahead {
				l.Enter(origin, &Waiter{})
			}
			w := &Waiter{}
			if tt.deadline != 0 {
				w.Deadline = at(tt.deadline)
			}
			got := l.Enter(origin, w)
			// Each step of the prediction rounds up to a nanosecond.
			got.Wait = got.Wait.Round(time.Microsecond)
			tt.want.Wait = tt.want.Wait.Round(time.Microsecond)
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNobodyIsAdmittedAfterItsTime(t *testing.T) {
	l := New(Settings{RPM: 60, QueueTimeout: 30 * time.Second}, origin)
	a, b, c := &Waiter{}, &Waiter{Deadline: at(10 * time.Second)}, &Waiter{}
	enterAll(l, 0, a, b, c)
	if got := b.Until(); !got.Equal(at(10 * time.Second)) {
		t.Errorf("until %v, want its deadline", got.Sub(origin))
	}
	if got := c.Until(); !got.Equal(at(30 * time.Second)) {
		t.Errorf("until %v, want the longest wait", got.Sub(origin))
	}
	if got := admits(l, 10*time.Second); !slices.Equal(got, []*Waiter{c}) {
		t.Errorf("got %v, want the third only: the second is over", got)
	}
	if got := l.Snapshot(at(10 * time.Second)).Queue; got != 0 {
		t.Errorf("%d wait, want none", got)
	}
}

func TestASmallRequestPassesABigHeadAFewTimes(t *testing.T) {
	l := New(Settings{TPM: 60_000}, origin) // 980 per second in use
	first := &Waiter{Tokens: 3000}          // leaves debt
	big := &Waiter{Tokens: 2000}
	enterAll(l, 0, first, big)
	l.bucket(slotTokens).size = 2000 * milli // the upstream wants it all at once
	l.bucket(slotTokens).resize(origin)
	small := make([]*Waiter, 30)
	for i := range small {
		small[i] = &Waiter{Tokens: 100}
		l.Enter(origin, small[i])
	}
	var order []*Waiter
	for now := time.Duration(0); len(order) < 15; now += 10 * time.Millisecond {
		order = append(order, admits(l, now)...)
	}
	if got := slices.Index(order, big); got != maxPassed {
		t.Errorf("the big one went as number %d, want %d after as many small ones", got, maxPassed)
	}
	for i := range maxPassed {
		if order[i] != small[i] {
			t.Errorf("small ones did not pass in order: %d", i)
		}
	}
}

func TestSmallOnesMayNotCostMoreThanTheHeadTheyPass(t *testing.T) {
	l := New(Settings{TPM: 60_000}, origin)
	enterAll(l, 0, &Waiter{Tokens: 3000})
	l.bucket(slotTokens).size = 5000 * milli
	l.bucket(slotTokens).resize(origin)
	big := &Waiter{Tokens: 2000}
	ws := []*Waiter{big, {Tokens: 900}, {Tokens: 900}, {Tokens: 900}, {Tokens: 200}, {Tokens: 200}}
	enterAll(l, 0, ws...)
	var order []*Waiter
	for now := time.Duration(0); len(order) < 4; now += 10 * time.Millisecond {
		order = append(order, admits(l, now)...)
	}
	if want := []*Waiter{ws[4], ws[1], ws[2], big}; !slices.Contains(order, big) || slices.Contains(order[:slices.Index(order, big)], ws[3]) {
		t.Errorf("got %v, want at most 2000 tokens before the big one, as in %v", order, want)
	}
}

func TestNobodyPassesAHeadThatWaitsForARequest(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	big, small := &Waiter{Tokens: 1000}, &Waiter{Tokens: 1}
	enterAll(l, 0, &Waiter{}, big, small)
	if got := admits(l, 1021*time.Millisecond); !slices.Equal(got, []*Waiter{big}) {
		t.Errorf("got %v, want the head", got)
	}
}

func TestAnotherLimitersWaiterStartsAnew(t *testing.T) {
	a, b := New(Settings{RPM: 60}, origin), New(Settings{RPM: 60}, origin)
	w := &Waiter{Tag: "mine"}
	a.Enter(origin, w)
	b.Leave(origin, w) // not b's: nothing happens
	if d := b.Enter(origin, w); d.Reason != Admitted || w.Tag != "mine" {
		t.Errorf("got %v with tag %v, want it admitted with its tag", d, w.Tag)
	}
	b.Sent(origin, w)
	if got := b.Snapshot(origin).Buckets[0].Remaining; got > 0.1 {
		t.Errorf("%v remaining, want it charged", got)
	}
}

func TestTimeThatRunsBackwardsCountsAsTheLatest(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	enterAll(l, 10*time.Second, &Waiter{})
	w := &Waiter{}
	if d := l.Enter(origin, w); d.Reason != Queued || d.Wait > 1021*time.Millisecond {
		t.Errorf("got %v, want Queued for one gap", d)
	}
	if got := admits(l, 11021*time.Millisecond); !slices.Equal(got, []*Waiter{w}) {
		t.Errorf("got %v, want it after one gap", got)
	}
}

func TestExpelTurnsAwayThoseWhoCannotBeInTime(t *testing.T) {
	l := New(Settings{RPM: 600, Learn: true}, origin)
	first := &Waiter{}
	pass(t, l, 0, first)
	enterAll(l, 0, &Waiter{}, &Waiter{}, &Waiter{})
	for range 9 {
		l.Enter(origin, &Waiter{})
	}
	in, out := &Waiter{Deadline: at(10 * time.Minute)}, &Waiter{Deadline: at(20 * time.Second)}
	if got, want := enterAll(l, 0, in, out), []Reason{Queued, Queued}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	var got []*Waiter
	expel := func(w *Waiter, d Decision) {
		if d.Reason != TooLate || d.Wait < 20*time.Second {
			t.Errorf("told %v, want TooLate and the wait", d)
		}
		got = append(got, w)
	}
	l.Expel(origin, expel)
	if got != nil {
		t.Fatalf("expelled %v before anything changed", got)
	}
	l.Refused(at(time.Millisecond), first, Refusal{Hint: 30 * time.Second})
	l.Expel(at(time.Millisecond), expel)
	if !slices.Equal(got, []*Waiter{out}) {
		t.Errorf("expelled %v, want the one whose deadline is near", got)
	}
}

// TestALongLineIsNotLookedThroughForEachRefusal: with 10,000 in the queue a look takes
// milliseconds, and a thousand refusals may come at once.
func TestALongLineIsNotLookedThroughForEachRefusal(t *testing.T) {
	const waiting = 10_000
	l := New(Settings{RPM: 600, Learn: true}, origin)
	a, b := pass(t, l, 0, &Waiter{}), pass(t, l, 200*time.Millisecond, &Waiter{})
	for range waiting {
		l.Enter(at(200*time.Millisecond), &Waiter{})
	}
	late := &Waiter{Deadline: at(1050 * time.Second)}
	if d := l.Enter(at(200*time.Millisecond), late); d.Reason != Queued {
		t.Fatalf("%v, want it in queue", d)
	}
	var expelled []*Waiter
	look := func(d time.Duration) {
		l.Expel(at(d), func(w *Waiter, _ Decision) { expelled = append(expelled, w) })
	}
	l.Refused(at(300*time.Millisecond), a, Refusal{Hint: time.Second})
	want := at(300*time.Millisecond + time.Duration(l.Snapshot(origin).Queue)*expelRest)
	look(300 * time.Millisecond)
	l.Refused(at(310*time.Millisecond), b, Refusal{Hint: time.Minute})
	look(310 * time.Millisecond)
	if expelled != nil {
		t.Error("the whole queue was looked through again after 10ms")
	}
	next := l.Release(at(310*time.Millisecond), func(*Waiter) {})
	if !next.Equal(want) {
		t.Errorf("Release wants to be called after %v, want %v", next.Sub(origin), want.Sub(origin))
	}
	look(next.Sub(origin))
	if !slices.Equal(expelled, []*Waiter{late}) {
		t.Errorf("%d were turned away, want the one whose time is near", len(expelled))
	}
}

func TestReasonsHaveNames(t *testing.T) {
	var got []string
	for r := Admitted; r <= Closing+1; r++ {
		got = append(got, r.String())
	}
	if want := []string{"admitted", "queued", "queue_full", "too_late", "never_fits", "dismissed", "barred", "closing", "unknown"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
