package limit

import (
	"fmt"
	"testing"
	"time"
)

// told1200 is what a refusal by the second says: a wait to the next share, and a limit
// by the minute that does not explain it.
func told1200(hint time.Duration) Refusal {
	return Refusal{Dimension: "requests", Limit: 1200, Used: 1200, Requested: 1, Window: time.Minute, Hint: hint}
}

// inShares returns a limiter that has found shares of 20 which begin at whole seconds,
// with waiters in the queue.
func inShares(t *testing.T, waiting int) *Limiter {
	t.Helper()
	l := New(learning, origin)
	for range coldQuota {
		pass(t, l, 300*time.Millisecond, &Waiter{})
	}
	w := &Waiter{}
	l.Enter(at(300*time.Millisecond), w)
	l.ramp.Stop()
	admits(l, 300*time.Millisecond)
	l.Sent(at(300*time.Millisecond), w)
	l.Refused(at(310*time.Millisecond), w, told1200(690*time.Millisecond))
	if !l.bucket(slotRequests).windows.on {
		t.Fatal("a wait of 690ms where 50ms bring one request is no sign of shares")
	}
	for range waiting {
		l.Enter(at(320*time.Millisecond), &Waiter{})
	}
	return l
}

// drain lets out and sends all who may go until the end, and returns them with the
// seconds in which they went.
func drain(l *Limiter, from, end time.Duration) ([]*Waiter, map[int]int) {
	var all []*Waiter
	went := map[int]int{}
	for now := from; now < end; {
		next := l.Release(at(now), func(w *Waiter) { all = append(all, w) })
		for _, w := range all {
			if w.state == stateAdmitted {
				went[int(now/time.Second)]++
				l.Sent(at(now), w)
				next = at(now + time.Millisecond)
			}
		}
		if next.IsZero() {
			break
		}
		now = next.Sub(origin)
	}
	return all, went
}

func TestASharesRhythmIsKept(t *testing.T) {
	l := inShares(t, 99)
	all, went := drain(l, 320*time.Millisecond, 10*time.Second)
	if want := map[int]int{1: 20, 2: 20, 3: 20, 4: 20, 5: 20}; fmt.Sprint(went) != fmt.Sprint(want) {
		t.Errorf("%v went in each second, want %v", went, want)
	}
	if last, most := all[len(all)-1].sent, 5*time.Second+windowSpread; last > most {
		t.Errorf("the last went at %v, want by %v", last, most)
	}
	if got := l.Snapshot(at(5500 * time.Millisecond)).Buckets[0].Remaining; got != 0 {
		t.Errorf("%v remain of a share that went out, want 0", got)
	}
	if got := l.Snapshot(at(6500 * time.Millisecond)).Buckets[0].Remaining; got != 20 {
		t.Errorf("%v remain of a new share, want 20", got)
	}
}

func TestWithoutSharesTheRhythmIsGivenUp(t *testing.T) {
	l := inShares(t, 200)
	all, _ := drain(l, 320*time.Millisecond, 1500*time.Millisecond)
	l.Refused(at(1510*time.Millisecond), all[7], told1200(40*time.Millisecond))
	b := l.bucket(slotRequests)
	if b.windows.on {
		t.Fatal("the eighth of a share of 20 was refused, and shares are believed")
	}
	all, _ = drain(l, 1520*time.Millisecond, 3*time.Second)
	l.Refused(at(3010*time.Millisecond), all[len(all)-1], told1200(700*time.Millisecond))
	if b.windows.on {
		t.Error("shares are believed again at once, want not for ten minutes")
	}
}

// TestRefusalsThatCountAreTakenOffTheNextShare has an upstream that does so.
func TestRefusalsThatCountAreTakenOffTheNextShare(t *testing.T) {
	for counting, counts := range map[string]bool{"counts": true, "free": false} {
		for _, tells := range []told{{texts: true}, {headers: true, texts: true}, {headers: true, hint: "exact"}} {
			t.Run(fmt.Sprint(counting, " ", tells), func(t *testing.T) {
				for seed := range uint64(5) {
					s := newSimulation(seed, learning, jittery, requests(1200, quanta, 20, counts, tells))
					r := s.run(burst(600, 10, 20*time.Millisecond), time.Minute)
					most := 29*time.Second + windowSpread + 20*time.Millisecond
					if counts {
						most += time.Second // refusals use up a share's part, and the rest needs another one
					}
					if r.ok != 600 || r.refused > 10 || r.last > most {
						t.Errorf("seed %d: %d of 600 by %v with %d refused, want all by %v and at most 10", seed, r.ok, r.last, r.refused, most)
					}
				}
			})
		}
	}
}

// TestSharesFollowTheLimit halves and doubles it.
func TestSharesFollowTheLimit(t *testing.T) {
	for _, tells := range []told{{texts: true}, {headers: true, texts: true}} {
		t.Run(tells.String(), func(t *testing.T) {
			s := newSimulation(1, learning, jittery, requests(1200, quanta, 20, false, tells))
			s.changes = []change{
				{20 * time.Second, func(now time.Time, u *upstream) { u.meters[0].advance(now); u.meters[0].set(600, time.Minute, 0) }},
				{40 * time.Second, func(now time.Time, u *upstream) { u.meters[0].advance(now); u.meters[0].set(1200, time.Minute, 0) }},
			}
			r := s.run(burst(3000, 10, 20*time.Millisecond), time.Minute)
			for from, rate := range map[time.Duration]float64{5 * time.Second: 20, 30 * time.Second: 10, 50 * time.Second: 20} {
				got := float64(between(r.accepted, from, from+10*time.Second)) / 10
				if got < 0.95*rate || got > 1.05*rate {
					t.Errorf("%.2f per second from %v on, want %.0f", got, from, rate)
				}
			}
			if len(r.refusedAt) > 40 {
				t.Errorf("%d refused, want at most 20 for each change", len(r.refusedAt))
			}
		})
	}
}

// TestADebtOfSharesIsPaidByTimeAlone: where refusals are taken off the next share, and
// more of them came than a share holds, nothing can go in that one.
func TestADebtOfSharesIsPaidByTimeAlone(t *testing.T) {
	const size = 20 * milli
	tests := map[string]struct {
		begun time.Duration
		owed  int64
		want  time.Duration // of the first that goes
		used  int64         // of its share, with it
	}{
		"nothing went yet":   {never, 21 * milli, time.Second, 2 * milli},
		"some went":          {0, 21 * milli, 2 * time.Second, 2 * milli},
		"of two shares":      {0, 45 * milli, 3 * time.Second, 6 * milli},
		"of a hundred":       {0, 2000 * milli, 4 * time.Second, milli},
		"less than a share":  {0, 5 * milli, time.Second, 6 * milli},
		"nothing, long idle": {0, 0, time.Second, milli},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := fixedWindow{on: true, counts: true, length: time.Second, begun: tt.begun, owed: tt.owed}
			if tt.begun == 0 {
				s.used = size
			}
			at := time.Duration(0)
			for wait := s.wait(at, milli, size); wait > 0; wait = s.wait(at, milli, size) {
				if at += wait; at > time.Minute {
					t.Fatalf("nothing went in a minute; %d are owed", s.debt(at, size))
				}
			}
			s.take(at, milli, size, 0)
			if at != tt.want || s.used != tt.used {
				t.Errorf("the first went at %v, and %d of its share; want %v and %d", at, s.used, tt.want, tt.used)
			}
		})
	}
}
