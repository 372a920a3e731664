package limit

import (
	"math"
	"time"
)

// failer is what a test and a rapid test share.
type failer interface{ Fatalf(string, ...any) }

// check looks at what must hold of a limiter at any time.
func check(t failer, l *Limiter, ws []*Waiter, now time.Time) {
	s := l.Snapshot(now)
	queued, cost := 0, [units]int64{}
	for _, w := range ws {
		if w.queued() {
			queued++
			for u := range units {
				cost[u] += w.cost(u)
			}
		}
	}
	if s.Queue != queued || l.queue.cost != cost {
		t.Fatalf("the queue counts %d with %v, but %d wait with %v", s.Queue, l.queue.cost, queued, cost)
	}
	for _, b := range s.Buckets {
		for _, v := range []float64{b.Limit, b.Remaining, b.Rate, b.Window.Seconds()} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("a bucket is not finite: %+v", b)
			}
		}
		if b.Limit < 0 || b.Rate < 0 || b.Window < 0 {
			t.Fatalf("a bucket is negative: %+v", b)
		}
	}
	for u := range units {
		if l.taken[u] < 0 || l.sent[u] > l.taken[u] || l.refused[u] > l.sent[u] {
			t.Fatalf("counts of unit %d: taken %d, sent %d, refused %d", u, l.taken[u], l.sent[u], l.refused[u])
		}
	}
}
