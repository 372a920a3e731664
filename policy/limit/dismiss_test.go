package limit

import (
	"slices"
	"testing"
	"time"
)

func TestDismiss_TakesOutThoseMeantAndLeavesTheOthersInOrder(t *testing.T) {
	l := New(Settings{RPM: 1}, origin)
	l.Enter(origin, &Waiter{Tag: "admitted"})
	for _, tag := range []string{"a", "out", "b", "out", "c"} {
		if d := l.Enter(origin, &Waiter{Tag: tag}); d.Reason != Queued {
			t.Fatalf("%s is %s", tag, d.Reason)
		}
	}
	n := 0
	l.Dismiss(at(time.Second), func(w *Waiter) bool { return w.Tag == "out" }, func(w *Waiter, d Decision) {
		n++
		if w.Tag != "out" || d.Reason != Dismissed || w.queued() {
			t.Errorf("dismissed %v: %+v", w.Tag, d)
		}
	})
	if _, waiting := l.Used(); n != 2 || waiting != 3 {
		t.Errorf("%d were dismissed, %d wait", n, waiting)
	}
	var order []string
	for d := time.Minute; len(order) < 3 && d < time.Hour; d += time.Minute {
		l.Release(at(d), func(w *Waiter) { order = append(order, w.Tag.(string)) })
	}
	if !slices.Equal(order, []string{"a", "b", "c"}) {
		t.Errorf("then came %v", order)
	}
}
