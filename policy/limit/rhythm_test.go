package limit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// lengths are the ways to give out a limit in shares, and how long each lasts.
var lengths = map[enforcement]time.Duration{quanta: time.Second, tens: 10 * time.Second, window: time.Minute}

// tellWaits are the ways to tell of a wait to the next share and of the limit.
var tellWaits = []told{{texts: true}, {headers: true, texts: true}, {headers: true, hint: "exact"}}

// later moves an upstream's shares, so that the first one has lasted for d at the start.
func (u *upstream) later(d time.Duration) *upstream {
	for _, m := range u.meters {
		m.at = m.at.Add(-d)
	}
	return u
}

// TestAShareGoesOutAsItBegins sends five shares' worth at once: the first is there, and
// the last one should be out four lengths after it began.
func TestAShareGoesOutAsItBegins(t *testing.T) {
	for e, length := range lengths {
		for _, tells := range tellWaits {
			for _, part := range []float64{0.1, 0.3, 0.5} {
				t.Run(fmt.Sprint(e, " ", tells, " ", part), func(t *testing.T) {
					lasted := time.Duration(part * float64(length))
					size := int(20 * length.Seconds())
					s := newSimulation(1, learning, jittery, requests(1200, e, 0, false, tells).later(lasted))
					r := s.run(burst(5*size, 10, 20*time.Millisecond), 10*time.Minute)
					sh := &s.limiter.bucket(slotRequests).windows
					if !sh.on || sh.length != length {
						t.Errorf("shares of %v, %v; want of %v", sh.length, sh.on, length)
					}
					if most := 4*length - lasted + 2*sh.over; r.ok != 5*size || r.last > most {
						t.Errorf("%d of %d by %v, want all by %v", r.ok, 5*size, r.last, most)
					}
					if r.refused > max(10, size/20) {
						t.Errorf("%d refused of shares of %d", r.refused, size)
					}
				})
			}
		}
	}
}

// TestASustainedLoadIsNotRefused has a burst that shows the shares, and then five
// minutes of 95 % of the limit, at random.
func TestASustainedLoadIsNotRefused(t *testing.T) {
	for e, length := range lengths {
		for _, tells := range append([]told{{headers: true, hint: "seconds"}}, tellWaits...) {
			t.Run(fmt.Sprint(e, " ", tells), func(t *testing.T) {
				const learn, end = 2 * time.Minute, 7 * time.Minute
				s := newSimulation(1, learning, jittery, requests(1200, e, 0, false, tells).later(length/3))
				jobs := burst(min(1300, 60*int(length.Seconds())), 10, 20*time.Millisecond)
				rnd := rand.New(rand.NewPCG(1, 2))
				for at := learn; at < end; at += time.Duration(rnd.ExpFloat64() / (0.95 * 20) * float64(time.Second)) {
					jobs = append(jobs, &job{Waiter: Waiter{Tokens: 10}, at: at, takes: 20 * time.Millisecond})
				}
				r := s.run(jobs, end)
				refused := between(r.refusedAt, learn, end)
				if got := float64(between(r.accepted, learn, end)); got < 0.93*20*(end-learn).Seconds() {
					t.Errorf("%.0f let through", got)
				}
				t.Logf("%d refused, %d of them late", r.refused, refused)
				if refused > 30 {
					t.Errorf("%d of 5,700 refused", refused)
				}
			})
		}
	}
}

// TestTheEndOfAWholeLimitIsNoShares: 200 of 1200 per minute come back in ten seconds,
// and that is all that the headers tell.
func TestTheEndOfAWholeLimitIsNoShares(t *testing.T) {
	for hint, want := range map[string]bool{"10s": false, "7s": true} {
		l := New(learning, origin)
		l.ramp.Stop()
		var all []*Waiter
		for range 200 {
			w := &Waiter{}
			all = append(all, pass(t, l, time.Millisecond, w))
		}
		w := pass(t, l, time.Millisecond, &Waiter{})
		l.Answered(at(2*time.Millisecond), all[0], ParseHeaders(limits("Requests", "1200", "1000", "10s"), origin))
		d, _ := time.ParseDuration(hint)
		l.Refused(at(2*time.Millisecond), w, Refusal{Dimension: "requests", Hint: d, Headers: ParseHeaders(limits("Requests", "1200", "1000", "10s"), origin)})
		if got := l.bucket(slotRequests).windows.on; got != want {
			t.Errorf("a wait of %s: shares %v, want %v", hint, got, want)
		}
	}
}

// TestAShareIsAsLongAsWhatWentOfIt has all of a share let through at once, two seconds
// before the refusal.
func TestAShareIsAsLongAsWhatWentOfIt(t *testing.T) {
	tests := map[string]struct {
		limit   float64
		through int
		hint    time.Duration
		want    time.Duration
	}{
		"ten seconds":                         {1200, 200, 6 * time.Second, 10 * time.Second},
		"others used a fifth of it":           {1200, 160, 6 * time.Second, 10 * time.Second},
		"a minute":                            {300, 300, 30 * time.Second, time.Minute},
		"a minute that is nearly over":        {300, 300, 5 * time.Second, time.Minute},
		"no share holds so little":            {1200, 100, 3 * time.Second, 0},
		"nor so much":                         {1200, 2000, 3 * time.Second, 0},
		"a second, of which nothing is known": {1200, 20, 900 * time.Millisecond, time.Second},
		"a wait that the rate explains":       {1200, 200, 90 * time.Millisecond, 0},
		"too few to matter":                   {12, 2, 6 * time.Second, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			l.ramp.Stop()
			for range tt.through {
				pass(t, l, time.Millisecond, &Waiter{})
			}
			w := pass(t, l, 2*time.Second, &Waiter{})
			l.Refused(at(2001*time.Millisecond), w, Refusal{Dimension: "requests", Limit: tt.limit, Window: time.Minute, Hint: tt.hint})
			s := l.bucket(slotRequests).windows
			if s.length != tt.want || s.on != (tt.want > 0) || s.on && s.phase != 2001*time.Millisecond+tt.hint {
				t.Errorf("got %+v, want shares of %v", s, tt.want)
			}
		})
	}
}

// TestSharesAreFoundWithoutALimit has nothing told but a wait, exact or in whole seconds.
func TestSharesAreFoundWithoutALimit(t *testing.T) {
	for _, hint := range []string{"exact", "seconds"} {
		for e, length := range lengths {
			for _, counts := range []bool{false, true} {
				t.Run(fmt.Sprint(e, " ", hint, " ", counts), func(t *testing.T) {
					size := int(20 * length.Seconds())
					calls := 5*size - size/10 // how much a share holds is known to within some
					lasted := length / 5
					s := newSimulation(1, learning, jittery, requests(1200, e, 0, counts, told{hint: hint}).later(lasted))
					r := s.run(burst(calls, 10, 20*time.Millisecond), 10*time.Minute)
					sh := &s.limiter.bucket(slotRequests).windows
					if !sh.on || sh.length != length {
						t.Errorf("shares of %v, %v; want of %v", sh.length, sh.on, length)
					}
					most := 4*length - lasted + 2*sh.over + time.Second
					if counts {
						most += length // what was refused is taken off
					}
					if r.ok != calls || r.last > most || r.refused > max(15, size/20) {
						t.Errorf("%d of %d by %v with %d refused, want all by %v", r.ok, calls, r.last, r.refused, most)
					}
				})
			}
		}
	}
}

// TestATrialOfSharesEndsWithTheFirstRefusalOfARate: a bucket of five seconds' worth, of
// which a wait tells nothing but itself.
func TestATrialOfSharesEndsWithTheFirstRefusalOfARate(t *testing.T) {
	l := New(learning, origin)
	l.ramp.Stop()
	for range 100 {
		pass(t, l, time.Millisecond, &Waiter{})
	}
	w := pass(t, l, 2*time.Millisecond, &Waiter{})
	l.Refused(at(3*time.Millisecond), w, Refusal{Dimension: "requests", Hint: time.Second})
	s := &l.bucket(slotRequests).windows
	if !s.probing() {
		t.Fatal("no shares are tried after 100 and a wait of a second")
	}
	for range 100 {
		l.Enter(at(10*time.Millisecond), &Waiter{})
	}
	all, _ := drain(l, time.Second, 1100*time.Millisecond)
	if len(all) < 25 || len(all) > 60 {
		t.Errorf("%d went in 100ms, want them fast, but not all at once", len(all))
	}
	l.Refused(at(1100*time.Millisecond), all[21], Refusal{Dimension: "requests", Hint: time.Second})
	if s.on {
		t.Error("21 of 100 were let through, and shares are believed")
	}
}

// TestSharesThatEndEarlyAreGivenUp has whole ones before: a single one that ends early
// may have a reason of its own.
func TestSharesThatEndEarlyAreGivenUp(t *testing.T) {
	l := inShares(t, 200)
	s := &l.bucket(slotRequests).windows
	for second := 1; second <= 5; second++ {
		from := time.Duration(second) * time.Second
		all, _ := drain(l, from, from+900*time.Millisecond)
		if second == 3 || second == 5 {
			l.Refused(at(from+950*time.Millisecond), all[16], told1200(80*time.Millisecond))
		}
		if want := second < 5; s.on != want {
			t.Fatalf("after share %d: believed %v, want %v", second, s.on, want)
		}
	}
}

// TestAWaitAmongSharesIsForetold: 99 in the queue before it leave a place in the fifth share.
func TestAWaitAmongSharesIsForetold(t *testing.T) {
	l := inShares(t, 98)
	for _, tt := range []struct {
		waiting int
		want    time.Duration
	}{{99, 5 * time.Second}, {100, 6 * time.Second}} {
		want := tt.want
		for l.queue.length < tt.waiting {
			l.Enter(at(320*time.Millisecond), &Waiter{})
		}
		if got := l.Predict(at(400*time.Millisecond), &Waiter{}) + 400*time.Millisecond; got < want || got > want+windowSpread {
			t.Errorf("with %d in queue it would go at %v, want from %v on", l.queue.length, got, want)
		}
	}
}
