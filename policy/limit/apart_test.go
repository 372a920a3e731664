package limit

import (
	"testing"
	"time"
)

// What may go at once is divided too: a hundred that lose the account at the same time would
// send a hundred times the limit's second.
func TestApart_DividesWhatMayGoAtOnce(t *testing.T) {
	for _, parts := range []int{1, 4, 100} {
		now := time.Unix(1e9, 0)
		l := New(Settings{RPM: 3000, Learn: true, QueueMax: 1000}, now) // 50 per second
		l.Share()
		now = now.Add(time.Minute)
		l.Apart(now, parts, false)
		sent := 0
		for range 200 {
			if l.Enter(now, &Waiter{Tokens: 1}).Reason == Admitted {
				sent++
			}
		}
		sent += len(released(l, now))
		if most := max(1, 51/parts); sent > most {
			t.Errorf("one of %d sends %d at once, want at most %d", parts, sent, most)
		}
	}
}

func released(l *Limiter, now time.Time) []*Waiter {
	var out []*Waiter
	l.Release(now, func(w *Waiter) { out = append(out, w) })
	return out
}
