package limit

import (
	"testing"
	"time"
)

// A refused request goes when the wait ends that it was told, however slowly its limit refills, and
// the next one a share of the limit later.
func TestARefusedRequestOfASlowLimitGoesWhenItsWaitEnds(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		refusal Refusal
		most    time.Duration
	}{
		"3 per minute, 2 s":   {Refusal{Dimension: "requests", Limit: 3, Window: time.Minute, Hint: 2 * time.Second}, 2500 * time.Millisecond},
		"10 per minute, 10 s": {Refusal{Dimension: "requests", Limit: 10, Window: time.Minute, Hint: 10 * time.Second}, 10500 * time.Millisecond},
		"nothing is named":    {Refusal{Limit: 10, Window: time.Minute, Hint: 2 * time.Second}, 2500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(Settings{Learn: true, QueueMax: 100}, now)
			first, second := &Waiter{}, &Waiter{}
			if d := l.Enter(now, first); d.Reason != Admitted {
				t.Fatal(d)
			}
			l.Sent(now, first)
			refused := now.Add(20 * time.Millisecond)
			l.Refused(refused, first, tt.refusal)
			l.Enter(refused, second)
			var went []time.Duration
			for at := refused; len(went) < 2; {
				at = l.Release(at, func(w *Waiter) {
					went = append(went, at.Sub(refused))
					l.Sent(at, w)
					l.Answered(at, w, Headers{})
				})
			}
			share := time.Minute / time.Duration(tt.refusal.Limit)
			if went[0] < tt.refusal.Hint || went[0] > tt.most || went[1]-went[0] < share*8/10 {
				t.Errorf("they went after %v, want the first at %v and the next %v later", went, tt.refusal.Hint, share)
			}
		})
	}
}
