package limit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawLoad draws requests that arrive over some seconds, in bursts or spread.
func drawLoad(t *rapid.T, rate float64) []*job {
	n := rapid.IntRange(1, int(10*rate)+50).Draw(t, "requests")
	over := rapid.SampledFrom([]time.Duration{0, time.Second, 10 * time.Second}).Draw(t, "over")
	jobs := burst(n, 10, rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute}).Draw(t, "takes"))
	for i, j := range jobs {
		if rapid.Bool().Draw(t, "spread") {
			j.at = over * time.Duration(i) / time.Duration(n)
		}
	}
	return jobs
}

var networks = []network{near, jittery, {rtt: 20 * time.Millisecond, jitter: 10 * time.Millisecond, dials: true}}

// TestOnceLearnedALimitIsKept: after a limit was told, no stretch of seconds holds
// more than it and what a bucket holds.
func TestOnceLearnedALimitIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{2, 5, 20, 100}).Draw(t, "rate")
		up := requests(60*rate, refill, 60*rate, false, told{headers: true})
		s := newSimulation(rapid.Uint64().Draw(t, "seed"), learning, rapid.SampledFrom(networks).Draw(t, "network"), up)
		var out []time.Duration
		s.admitted = func(now time.Time, _ *Waiter) {
			if len(s.limiter.active) > 0 {
				out = append(out, now.Sub(origin))
			}
		}
		jobs := drawLoad(t, rate)
		r := s.run(jobs, time.Hour)
		if r.refused > 0 {
			t.Fatalf("%d refused, want none", r.refused)
		}
		for i := range out {
			for j := i; j < len(out); j++ {
				if most := 60*rate + rate*(out[j]-out[i]).Seconds() + 1; float64(j-i+1) > most {
					t.Fatalf("%d from %v to %v, want at most %.0f", j-i+1, out[i], out[j], most)
				}
			}
		}
	})
}

// TestNobodyWaitsForEverNorPastTheDeadline: waiters of all sizes with and without
// deadlines are let through in time or turned away, and the big ones are not starved.
func TestNobodyWaitsForEverNorPastTheDeadline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tpm := rapid.SampledFrom([]int{6000, 60_000}).Draw(t, "tpm")
		l := New(Settings{TPM: tpm, RPM: 6000, Learn: true}, origin)
		n := rapid.IntRange(1, 80).Draw(t, "waiters")
		waiting := map[*Waiter]time.Duration{}
		total := 0
		for range n {
			w := &Waiter{Tokens: rapid.SampledFrom([]int{1, 50, 400, tpm / 2, tpm}).Draw(t, "tokens")}
			if rapid.Bool().Draw(t, "deadline") {
				w.Deadline = at(time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
			}
			switch l.Enter(origin, w).Reason {
			case Queued:
				waiting[w] = 0
				total += w.Tokens
			case Admitted:
				total += w.Tokens
			}
		}
		now := time.Duration(0)
		for len(waiting) > 0 {
			next := l.Release(at(now), func(w *Waiter) {
				if w.late(at(now)) {
					t.Fatalf("one was admitted at %v, after its time", now)
				}
				delete(waiting, w)
			})
			if next.IsZero() {
				break
			}
			if next.Sub(origin) <= now {
				t.Fatalf("the next call would be at %v, not after %v", next.Sub(origin), now)
			}
			now = next.Sub(origin)
		}
		for w := range waiting {
			if w.Deadline.IsZero() || !w.late(at(now)) {
				t.Fatalf("one of %d tokens was never admitted", w.Tokens)
			}
		}
		if most := time.Duration(float64(total) / float64(tpm) / pace * float64(time.Minute)); now > most+time.Second {
			t.Fatalf("the queue was empty after %v, want by %v", now, most)
		}
	})
}

// TestNoCallInAnyOrderBreaksTheLimiter calls everything with anything.
func TestNoCallInAnyOrderBreaksTheLimiter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := New(Settings{
			RPM: rapid.IntRange(-1, 100).Draw(t, "rpm"), TPM: rapid.IntRange(-1, 1000).Draw(t, "tpm"),
			QueueMax: rapid.IntRange(0, 5).Draw(t, "max"), Learn: rapid.Bool().Draw(t, "learn"),
		}, origin)
		ws := make([]*Waiter, 6)
		for i := range ws {
			ws[i] = &Waiter{Tokens: rapid.IntRange(-10, 2000).Draw(t, "tokens"), Images: rapid.IntRange(-1, 3).Draw(t, "images")}
		}
		now := time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			now += time.Duration(rapid.Int64Range(-int64(time.Second), int64(10*time.Second)).Draw(t, "later"))
			w := rapid.SampledFrom(ws).Draw(t, "waiter")
			switch rapid.IntRange(0, 7).Draw(t, "call") {
			case 0:
				l.Enter(at(now), w)
			case 1:
				l.Leave(at(now), w)
			case 2:
				l.Sent(at(now), w)
			case 3:
				l.Answered(at(now), w, drawHeaders(t))
			case 4:
				l.Refused(at(now), w, drawRefusal(t))
			case 5:
				if next := l.Release(at(now), func(*Waiter) {}); !next.IsZero() && !next.After(at(now)) {
					t.Fatalf("Release wants to be called at %v, at %v", next.Sub(origin), now)
				}
			case 6:
				l.Expel(at(now), func(w *Waiter, d Decision) {
					if d.Reason != TooLate {
						t.Fatalf("expelled with %v", d)
					}
				})
			case 7:
				l.Idle(at(now))
			}
			check(t, l, ws, at(now))
		}
	})
}

func drawHeaders(t *rapid.T) Headers {
	n := rapid.IntRange(0, 2).Draw(t, "readings")
	var h Headers
	for range n {
		h.Readings = append(h.Readings, Reading{
			Dimension: rapid.SampledFrom([]string{"requests", "tokens", "images", "input_tokens", "bananas"}).Draw(t, "dimension"),
			Window:    rapid.SampledFrom([]time.Duration{0, 0, time.Minute, day, -1, 1}).Draw(t, "window"),
			Limit:     rapid.SampledFrom([]float64{-1, 0, 1, 60, 1e6, 1e300}).Draw(t, "limit"),
			Remaining: rapid.SampledFrom([]float64{-1, 0, 1, 59, 1e6, 1e300}).Draw(t, "remaining"),
			Reset:     rapid.SampledFrom([]time.Duration{-1, 0, time.Second, time.Minute, time.Hour, 1 << 62}).Draw(t, "reset"),
		})
	}
	return h
}

func drawRefusal(t *rapid.T) Refusal {
	number := rapid.SampledFrom([]float64{-1, 0, 1, 3, 60, 1e5, 1e300})
	return Refusal{
		Hint:      rapid.SampledFrom([]time.Duration{-1, 0, 0, time.Millisecond, time.Second, time.Minute, time.Hour, 1 << 62}).Draw(t, "hint"),
		HintFalse: rapid.Bool().Draw(t, "false"),
		Dimension: rapid.SampledFrom([]string{"", "", "requests", "tokens", "images", "concurrency"}).Draw(t, "dimension"),
		Limit:     number.Draw(t, "limit"), Used: number.Draw(t, "used"), Requested: number.Draw(t, "requested"),
		Window:   rapid.SampledFrom([]time.Duration{0, 0, time.Minute, day, -1, 1}).Draw(t, "window"),
		SlowDown: rapid.IntRange(0, 9).Draw(t, "slow down") == 0,
		Headers:  drawHeaders(t),
	}
}
