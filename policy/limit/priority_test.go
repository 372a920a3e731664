package limit

import (
	"slices"
	"testing"
	"time"

	"outrigger/policy/priority"
)

// several returns n waiters of a priority and caller, which are queued at origin.
func several(t *testing.T, l *Limiter, n int, p priority.Priority, caller uint64) []*Waiter {
	t.Helper()
	ws := make([]*Waiter, n)
	for i := range ws {
		ws[i] = &Waiter{Priority: p, Caller: caller, Tokens: 1}
		if d := l.Enter(origin, ws[i]); d.Reason != Queued {
			t.Fatalf("%v, want it in queue", d)
		}
	}
	return ws
}

// busy returns a limiter of 60 per minute whose first request is gone.
func busy(set Settings) *Limiter {
	set.RPM = 60
	l := New(set, origin)
	l.Enter(origin, &Waiter{})
	return l
}

// next lets n go, and returns them in order with when the last went.
func next(l *Limiter, n int) ([]*Waiter, time.Duration) {
	var out []*Waiter
	now := origin
	for len(out) < n {
		at := l.Release(now, func(w *Waiter) { out = append(out, w) })
		if at.IsZero() || len(out) >= n {
			break
		}
		now = at
	}
	return out, now.Sub(origin)
}

func prioritiesOf(ws []*Waiter) priority.Counts {
	var n priority.Counts
	for _, w := range ws {
		n[w.Priority.Index()]++
	}
	return n
}

func TestPriority_HighOnesPassAQueueOfLowOnes(t *testing.T) {
	l := busy(Settings{})
	several(t, l, 200, priority.Low, 1)
	high := several(t, l, 20, priority.High, 2)
	if got := l.Waiting(); got != (priority.Counts{20, 0, 200}) {
		t.Errorf("%v wait, want 20, 0 and 200", got)
	}
	out, took := next(l, 25)
	if got := prioritiesOf(out); got[0] != 20 || took > turn(25) {
		t.Errorf("%v of the first 25 in %v, want all 20 high ones", got, took)
	}
	if last := slices.Index(out, high[19]); prioritiesOf(out[:last+1])[2] < (last+1)/12 {
		t.Errorf("%v until the last high one, want at least a twelfth low ones", prioritiesOf(out[:last+1]))
	}
}

func TestPriority_NobodyStarves(t *testing.T) {
	l := busy(Settings{})
	for i, p := range priority.All {
		several(t, l, 1000, p, uint64(i))
	}
	out, _ := next(l, 1300)
	for n := 13; n <= 1300; n += 13 {
		if got := prioritiesOf(out[n-13 : n]); got != (priority.Counts{8, 4, 1}) {
			t.Fatalf("%v of the 13 before %d, want 8, 4 and 1", got, n)
		}
	}
}

// TestPriority_TheForetoldWaitIsTheWait: each is told, when it comes, when it then goes.
func TestPriority_TheForetoldWaitIsTheWait(t *testing.T) {
	for _, p := range priority.All {
		l := busy(Settings{})
		several(t, l, 30, priority.Low, 1)
		several(t, l, 30, priority.Normal, 2)
		several(t, l, 30, priority.High, 3)
		w := &Waiter{Priority: p, Caller: uint64(3 - p.Index())}
		d := l.Enter(origin, w)
		if d.Reason != Queued {
			t.Fatalf("%v: %v", p, d)
		}
		out, _ := next(l, 91)
		if want := turn(slices.Index(out, w) + 1); d.Wait.Round(time.Millisecond) != want.Round(time.Millisecond) {
			t.Errorf("%v: told %v, and went after %v", p, d.Wait, want)
		}
	}
}

func TestPriority_OnlyThoseWhoCannotBeInTimeAreToldSo(t *testing.T) {
	for name, tt := range map[string]struct {
		p        priority.Priority
		deadline time.Duration
		want     Reason
	}{
		"a high one that has time for a few": {priority.High, 5 * time.Second, Queued},
		"a high one that has none":           {priority.High, 900 * time.Millisecond, TooLate},
		"a normal one":                       {priority.Normal, 60 * time.Second, Queued},
		"a low one that is the last":         {priority.Low, 60 * time.Second, TooLate},
		"a low one that has time for all":    {priority.Low, 105 * time.Second, Queued},
	} {
		l := busy(Settings{})
		several(t, l, 100, priority.Low, 1)
		if d := l.Enter(origin, &Waiter{Priority: tt.p, Caller: 1, Deadline: at(tt.deadline)}); d.Reason != tt.want {
			t.Errorf("%s: %v, want %v", name, d, tt.want)
		}
	}
}

func TestPriority_WhoIsOvertakenTooFarIsToldAtOnce(t *testing.T) {
	l := busy(Settings{})
	late := &Waiter{Priority: priority.Low, Caller: 1, Deadline: at(5 * time.Second)}
	patient := &Waiter{Priority: priority.Low, Caller: 1, Deadline: at(time.Minute)}
	if got := enterAll(l, 0, patient, late); !slices.Equal(got, []Reason{Queued, Queued}) {
		t.Fatal(got)
	}
	several(t, l, 8, priority.High, 2) // before the second low one
	several(t, l, 20, priority.Normal, 3)
	next := l.Release(origin, func(*Waiter) {})
	if next.Sub(origin) > 200*time.Millisecond {
		t.Errorf("it is looked at after %v, want soon", next.Sub(origin))
	}
	var gone []*Waiter
	l.Expel(next, func(w *Waiter, d Decision) {
		gone = append(gone, w)
		if d.Reason != TooLate || d.Wait < 8*time.Second {
			t.Errorf("told %v", d)
		}
	})
	if !slices.Equal(gone, []*Waiter{late}) {
		t.Errorf("%d were told, want the one whose time is near", len(gone))
	}
}

func TestPriority_LowOnesDoNotFillTheQueueForOthers(t *testing.T) {
	l := busy(Settings{QueueMax: 10})
	several(t, l, 10, priority.Low, 1)
	if d := l.Enter(origin, &Waiter{Priority: priority.Low}); d.Reason != QueueFull {
		t.Errorf("an eleventh low one: %v", d)
	}
	several(t, l, 10, priority.High, 1)
	if d := l.Enter(origin, &Waiter{}); d.Reason != QueueFull {
		t.Errorf("a normal one behind ten high ones: %v", d)
	}
}

func TestCallers_TakeTurns(t *testing.T) {
	l := busy(Settings{})
	a := several(t, l, 4, priority.Normal, 1)
	b := several(t, l, 2, priority.Normal, 2)
	c := several(t, l, 1, priority.Normal, 3)
	out, _ := next(l, 7)
	if want := []*Waiter{a[0], b[0], c[0], a[1], b[1], a[2], a[3]}; !slices.Equal(out, want) {
		t.Errorf("got %v", out)
	}
}

func TestCallers_AreToldTheWaitForTheirTurn(t *testing.T) {
	for name, tt := range map[string]struct {
		caller uint64
		ahead  int
	}{
		"one who has many waiting": {1, 40 + 3 + 20},
		"one who has a few":        {2, 3 + 4 + 4},
		"one who has none":         {4, 3},
	} {
		l := busy(Settings{})
		several(t, l, 40, priority.Normal, 1)
		several(t, l, 3, priority.Normal, 2)
		several(t, l, 20, priority.Normal, 3)
		w := &Waiter{Caller: tt.caller}
		d := l.Enter(origin, w)
		out, _ := next(l, 64)
		if i := slices.Index(out, w); i != tt.ahead || d.Wait.Round(time.Millisecond) != turn(i+1).Round(time.Millisecond) {
			t.Errorf("%s: told %v, and went after %d others, want %d", name, d.Wait, i, tt.ahead)
		}
	}
}

func TestCallers_WhoComesBackGoesBeforeOthersOfItsPriority(t *testing.T) {
	l := New(Settings{RPM: 60, Learn: true}, origin)
	first := &Waiter{Caller: 2}
	l.Enter(origin, first)
	l.Sent(origin, first)
	a := several(t, l, 3, priority.Normal, 1)
	own := several(t, l, 1, priority.Normal, 2)[0]
	high := several(t, l, 1, priority.High, 2)[0]
	if d := l.Refused(at(10*time.Millisecond), first, Refusal{Hint: time.Second}); d.Reason != Queued {
		t.Fatal(d)
	}
	var out []*Waiter
	for now := origin; len(out) < 6; {
		now = l.Release(now, func(w *Waiter) { out = append(out, w) })
		if len(out) > 0 {
			l.Sent(now, out[len(out)-1])
			l.Answered(now.Add(time.Millisecond), out[len(out)-1], Headers{})
		}
		if now.IsZero() {
			break
		}
	}
	// That it went again was a turn of its caller's.
	if want := []*Waiter{high, first, a[0], a[1], own, a[2]}; !slices.Equal(out, want) {
		var got []int
		for _, w := range out {
			got = append(got, slices.Index(want, w))
		}
		t.Errorf("got %v, want them by priority, return and turns", got)
	}
}

func TestPriority_OnlyAsUrgentOnesPassABigHead(t *testing.T) {
	l := New(Settings{TPM: 60_000}, origin)
	big := &Waiter{Tokens: 2000}
	enterAll(l, 0, &Waiter{Tokens: 3000}, big)
	l.bucket(slotTokens).size = 2000 * milli
	l.bucket(slotTokens).resize(origin)
	low := &Waiter{Tokens: 100, Priority: priority.Low}
	enterAll(l, 0, low)
	var order []*Waiter
	for now := time.Duration(0); len(order) < 2; now += 10 * time.Millisecond {
		order = append(order, admits(l, now)...)
	}
	if !slices.Equal(order, []*Waiter{big, low}) {
		t.Error("a low one passed a normal one that waited for tokens")
	}
}
