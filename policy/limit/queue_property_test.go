package limit

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"outrigger/policy/priority"
)

// TestQueue_HoldsWhatItCounts: whatever comes, goes, comes back and moves, the queue counts who
// is there, foretells those before one that comes, and lets them go in the order of walk.
func TestQueue_HoldsWhatItCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, other := &queue{}, &queue{}
		var in, out []*Waiter
		draw := func() *Waiter {
			return &Waiter{
				Priority: rapid.SampledFrom(priority.All[:]).Draw(t, "priority"), Caller: rapid.Uint64Range(0, 4).Draw(t, "caller"),
				Tokens: rapid.IntRange(0, 1000).Draw(t, "tokens"),
			}
		}
		which := func(ws []*Waiter) int { return rapid.IntRange(0, len(ws)-1).Draw(t, "which") }
		t.Repeat(map[string]func(*rapid.T){
			"comes": func(*rapid.T) {
				w := draw()
				q.arrive(w, 0)
				q.join(w, true)
				in = append(in, w)
			},
			"is served": func(t *rapid.T) {
				if len(in) == 0 {
					t.Skip()
				}
				w := q.head()
				var first *Waiter
				q.walk(func(w *Waiter) bool {
					if first == nil {
						first = w
					}
					return true
				})
				if first != w {
					t.Fatal("walk begins with another than the head")
				}
				q.serve(w)
				in, out = slices.DeleteFunc(in, func(x *Waiter) bool { return x == w }), append(out, w)
			},
			"comes back": func(t *rapid.T) {
				if len(out) == 0 {
					t.Skip()
				}
				i := which(out)
				q.join(out[i], false)
				in, out = append(in, out[i]), slices.Delete(out, i, i+1)
			},
			"leaves": func(t *rapid.T) {
				if len(in) == 0 {
					t.Skip()
				}
				i := which(in)
				q.remove(in[i])
				q.remove(in[i])
				in = slices.Delete(in, i, i+1)
			},
			"moves and returns": func(t *rapid.T) {
				caller := rapid.Uint64Range(0, 4).Draw(t, "whose")
				q.move(other, func(w *Waiter) bool { return w.Caller == caller }, func(*Waiter) {})
				q.merge(other, func(*Waiter) {})
			},
			"": func(t *rapid.T) { q.holds(t, in) },
		})
	})
}

// holds fails unless the queue counts and walks through exactly in.
func (q *queue) holds(t *rapid.T, in []*Waiter) {
	var cost [units]int64
	var waiting priority.Counts
	for _, w := range in {
		waiting[w.Priority.Index()]++
		for u := range units {
			cost[u] += w.cost(u)
		}
	}
	seen := map[*Waiter]bool{}
	last := map[[2]uint64]uint64{} // of each caller's of a priority, those who came for the first time
	q.walk(func(w *Waiter) bool {
		key := [2]uint64{uint64(w.Priority.Index()), w.Caller}
		if w.state == stateFresh {
			if w.seq <= last[key] {
				t.Fatal("those of one caller do not go in the order of arrival")
			}
			last[key] = w.seq
		}
		seen[w] = true
		return true
	})
	if q.length != len(in) || len(seen) != len(in) || q.waiting != waiting || q.cost != cost {
		t.Fatalf("%d of %v counted, %d walked through, %d of %v are there", q.length, q.waiting, len(seen), len(in), waiting)
	}
	for i, c := range q.classes {
		if c == nil {
			continue
		}
		lengths, back := 0, 0
		for at, ln := range c.lanes {
			if ln.index != at || c.callers[ln.caller] != ln || ln.length == 0 || ln.length != ln.fresh+len(ln.back) {
				t.Fatalf("lane %d of %v: %+v", at, c.priority, ln)
			}
			lengths, back = lengths+ln.length, back+len(ln.back)
		}
		if lengths != waiting[i] || lengths != c.length || back != c.back || len(c.callers) != len(c.lanes) {
			t.Fatalf("%v: %d in lanes, %d counted, %d there", c.priority, lengths, c.length, waiting[i])
		}
		for n := range 20 {
			want := 0
			for _, ln := range c.lanes {
				want += min(n, ln.fresh)
			}
			if got := c.levels.sum(n); got != want {
				t.Fatalf("%d in %d rounds, want %d", got, n, want)
			}
		}
	}
}
