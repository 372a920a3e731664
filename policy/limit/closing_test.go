package limit

import (
	"slices"
	"testing"
	"time"
)

func TestClose_TurnsAwayThoseWhoseTurnComesLater(t *testing.T) {
	l := New(Settings{RPM: 1}, origin)
	l.Enter(origin, &Waiter{Tag: "admitted"})
	for _, tag := range []string{"a", "b", "c", "d"} {
		l.Enter(origin, &Waiter{Tag: tag})
	}
	var gone []string
	expel := func(now time.Time) {
		l.Expel(now, func(w *Waiter, d Decision) {
			if d.Reason != Closing || w.queued() {
				t.Errorf("%v: %+v", w.Tag, d)
			}
			gone = append(gone, w.Tag.(string))
		})
	}
	expel(at(time.Second))
	if len(gone) > 0 {
		t.Errorf("before it closes %v were turned away", gone)
	}
	l.Close(at(150 * time.Second))
	expel(at(time.Second))
	if want := []string{"c", "d"}; !slices.Equal(gone, want) {
		t.Errorf("turned away were %v, want %v", gone, want)
	}
	late := &Waiter{Tag: "late"}
	if d := l.Enter(at(2*time.Second), late); d.Reason != Closing || late.queued() {
		t.Errorf("one who comes later: %+v", d)
	}
	var order []string
	for d := 62 * time.Second; d < 200*time.Second; d += 62 * time.Second {
		l.Release(at(d), func(w *Waiter) { order = append(order, w.Tag.(string)) })
	}
	if want := []string{"a", "b"}; !slices.Equal(order, want) {
		t.Errorf("let through were %v, want %v", order, want)
	}
	if d := l.Enter(at(10*time.Minute), &Waiter{Tag: "free"}); d.Reason != Admitted {
		t.Errorf("one who need not wait: %+v", d)
	}
}

func TestClose_TurnsAwayWhoIsRefusedForLonger(t *testing.T) {
	l := New(Settings{Longest: time.Hour}, origin)
	w := &Waiter{}
	l.Enter(origin, w)
	l.Sent(origin, w)
	l.Close(at(25 * time.Second))
	if d := l.Refused(at(time.Second), w, Refusal{Hint: time.Minute}); d.Reason != Closing || w.queued() {
		t.Errorf("%+v", d)
	}
}

func TestClose_IsKeptWhenLimitersPart(t *testing.T) {
	l := New(Settings{RPM: 1}, origin)
	l.Enter(origin, &Waiter{})
	l.Close(at(25 * time.Second))
	n := l.Split(at(time.Second), func(*Waiter) bool { return true })
	n.Enter(at(time.Second), &Waiter{})
	if d := n.Enter(at(time.Second), &Waiter{}); d.Reason != Closing {
		t.Errorf("%+v", d)
	}
}
