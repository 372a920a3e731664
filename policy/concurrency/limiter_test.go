package concurrency_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy/concurrency"
)

// hold fails where got is over most, and logs the figure.
func hold(t *testing.T, what string, got, most float64) {
	t.Helper()
	t.Logf("%s: %.3f (at most %.3f)", what, got, most)
	if got > most {
		t.Errorf("%s is %.3f, want at most %.3f", what, got, most)
	}
}

// TestLimiter_BurstAgainstPlacesEndsNearTheIdealTime covers a burst with and without the
// ramp that the rate limiter puts in front, calls of all lengths, near and far.
func TestLimiter_BurstAgainstPlacesEndsNearTheIdealTime(t *testing.T) {
	tests := map[string]struct {
		places, calls int
		took, way     time.Duration
		says          concurrency.Evidence
		step          time.Duration // between arrivals
		time          float64       // of the ideal
		refused       int
	}{
		"8 places, 200 calls of 1 s":             {8, 200, time.Second, time.Millisecond, concurrency.Capacity, 10 * time.Millisecond, 1.05, 12},
		"4 places, 24 calls of 10 s, bare":       {4, 24, 10 * time.Second, time.Millisecond, concurrency.Unclear, 20 * time.Millisecond, 1.05, 16},
		"4 places, 24 calls of 10 s, named":      {4, 24, 10 * time.Second, time.Millisecond, concurrency.Named, 20 * time.Millisecond, 1.05, 16},
		"20 places, 1500 calls of 0.2 s":         {20, 1500, 200 * time.Millisecond, time.Millisecond, concurrency.Capacity, time.Second / 150, 1.06, 20},
		"1 place, 20 calls of 5 s":               {1, 20, 5 * time.Second, time.Millisecond, concurrency.Named, 0, 1.05, 40},
		"all at once, 8 places":                  {8, 200, time.Second, time.Millisecond, concurrency.Capacity, 0, 1.05, 210},
		"100 ms away, 16 places, calls of 1.5 s": {16, 300, 1500 * time.Millisecond, 50 * time.Millisecond, concurrency.Capacity, 10 * time.Millisecond, 1.25, 60},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1)
			w.places, w.way, w.says = fixed(tt.places), tt.way, tt.says
			w.serves = func() time.Duration { return tt.took }
			for i := range tt.calls {
				w.arrive(time.Duration(i)*tt.step, 1)
			}
			w.run(time.Hour)
			if w.served != tt.calls {
				t.Fatalf("%d of %d served", w.served, tt.calls)
			}
			ideal := time.Duration((tt.calls+tt.places-1)/tt.places) * tt.took
			if came := time.Duration(tt.calls) * tt.step; came > ideal {
				ideal = came
			}
			hold(t, "time of the ideal", w.ends[len(w.ends)-1].Sub(w.start).Seconds()/ideal.Seconds(), tt.time)
			hold(t, "refused", float64(w.refused), float64(tt.refused))
		})
	}
}

// TestLimiter_FollowsPlacesThatChange halves and doubles the places in the middle of a
// long backlog, and wants them used within a minute.
func TestLimiter_FollowsPlacesThatChange(t *testing.T) {
	for _, says := range []concurrency.Evidence{concurrency.Unclear, concurrency.Capacity, concurrency.Named} {
		for _, places := range [][2]int{{4, 8}, {8, 4}, {8, 16}, {20, 10}, {4, 2}, {2, 4}} {
			t.Run(says.String()+" "+strconv.Itoa(places[0])+" to "+strconv.Itoa(places[1]), func(t *testing.T) {
				const change, run = 2 * time.Minute, 6 * time.Minute
				w := newWorld(2)
				w.says = says
				w.serves = func() time.Duration { return 10 * time.Second }
				w.places = func(now time.Time) int {
					if now.Sub(w.start) < change {
						return places[0]
					}
					return places[1]
				}
				w.arrive(0, 2)
				for i := range 1000 {
					w.arrive(time.Second+time.Duration(i)*20*time.Millisecond, 1)
				}
				w.run(run)
				late, refused := 0, 0
				for _, at := range w.ends {
					if since := at.Sub(w.start); since > change+time.Minute && since <= run {
						late++
					}
				}
				for _, at := range w.refusals {
					if at.Sub(w.start) > change+time.Minute {
						refused++
					}
				}
				want := float64(places[1]) * (run - change - time.Minute).Seconds() / 10
				t.Logf("%d of %.0f served from a minute after the change on, %d refused then, %d in all", late, want, refused, w.refused)
				if float64(late) < 0.95*want {
					t.Errorf("%d served, want at least 95 %% of %.0f", late, want)
				}
				if refused > 15 {
					t.Errorf("%d refused from a minute after the change on, want at most 15", refused)
				}
			})
		}
	}
}

// TestLimiter_RandomRefusalsAreNoLimit compares waits with refusals at random, at any
// level of use, to those without any limiter.
func TestLimiter_RandomRefusalsAreNoLimit(t *testing.T) {
	for _, says := range []concurrency.Evidence{concurrency.Unclear, concurrency.Capacity} {
		for _, chance := range []float64{0.01, 0.05, 0.2, 0.5} {
			for _, rate := range []float64{2, 50, 300} {
				t.Run(says.String()+" "+strconv.FormatFloat(chance, 'g', 3, 64)+" at "+strconv.FormatFloat(rate, 'g', 3, 64), func(t *testing.T) {
					w := newWorld(3)
					w.says, w.chance = says, chance
					w.serves = func() time.Duration { return time.Duration(w.rand.ExpFloat64() * float64(2*time.Second)) }
					const run = 2 * time.Minute
					var at time.Duration
					for at < run {
						at += time.Duration(w.rand.ExpFloat64() / rate * float64(time.Second))
						w.arrive(at, 1)
					}
					w.run(time.Hour)
					queued := 0.0
					for _, d := range w.waits {
						queued += d.Seconds()
					}
					// A call is repeated chance/(1-chance) times, each after half a second.
					own := chance / (1 - chance) * 0.5
					// Every second call refused leaves little to tell chance from a limit by.
					most := map[bool]float64{true: 0.25, false: 1.5}[chance < 0.5]
					hold(t, "mean wait over that of the repeats", queued/float64(len(w.waits))-own, most)
				})
			}
		}
	}
}

// TestLimiter_OneRefusalAmongManyLongCallsHoldsUpNobody has 490 long calls running when
// one is refused for no reason.
func TestLimiter_OneRefusalAmongManyLongCallsHoldsUpNobody(t *testing.T) {
	w := newWorld(4)
	w.serves = func() time.Duration { return 10 * time.Minute }
	strange := false
	w.places = func(time.Time) int {
		if strange {
			strange = false
			return 0
		}
		return 100_000
	}
	for i := range 490 {
		w.arrive(time.Duration(i)*10*time.Millisecond, 1)
	}
	w.at(w.start.Add(time.Minute), func() { strange = true })
	w.arrive(time.Minute+time.Millisecond, 1)
	for i := range 200 {
		w.arrive(time.Minute+2*time.Millisecond+time.Duration(i)*50*time.Millisecond, 1)
	}
	w.run(time.Hour)
	longest := time.Duration(0)
	for _, d := range w.waits {
		longest = max(longest, d)
	}
	hold(t, "longest wait", longest.Seconds(), 1.2)
}

// TestLimiter_BareRefusalsOfARateAreHandedOver sends long calls against a limit of the
// rate that tells nothing: few refusals may be spent on finding out what it is not.
func TestLimiter_BareRefusalsOfARateAreHandedOver(t *testing.T) {
	for _, took := range []time.Duration{20 * time.Millisecond, time.Second, 3 * time.Second} {
		w := newWorld(5)
		w.says, w.rate, w.tokens = concurrency.Unclear, 1, 20
		w.serves = func() time.Duration { return took }
		for i := range 40 {
			w.arrive(time.Duration(i)*20*time.Millisecond, 1)
		}
		w.run(took + 5*time.Second)
		// Calls that last as long as the rate takes to let the next one in look like
		// places, until refusals in a row have taken them under half.
		hold(t, "refusals taken for a limit of concurrency", float64(w.refused-w.chanced), 12)
	}
}

// TestLimiter_NeverStallsOrOverfills draws upstreams and loads, and wants that all are
// served, in about the ideal time, without asking for more places than there are for long.
func TestLimiter_NeverStallsOrOverfills(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 2))
		places := rapid.IntRange(1, 64).Draw(t, "places")
		took := time.Duration(rapid.IntRange(50, 20_000).Draw(t, "ms")) * time.Millisecond
		way := time.Duration(rapid.IntRange(0, 60).Draw(t, "way")) * time.Millisecond
		calls := rapid.IntRange(1, 12).Draw(t, "rounds") * places
		step := time.Duration(rapid.IntRange(0, 50).Draw(t, "step")) * time.Millisecond
		w := newWorld(seed)
		w.places, w.way = fixed(places), way
		w.says = concurrency.Capacity + concurrency.Evidence(r.IntN(2))
		w.serves = func() time.Duration { return took/2 + time.Duration(r.Int64N(int64(took))) }
		for i := range calls {
			w.arrive(time.Duration(i)*step, 1)
		}
		w.run(24 * time.Hour)
		if w.served != calls {
			t.Fatalf("%d of %d served", w.served, calls)
		}
		work := time.Duration(calls) * (took + 2*way) / time.Duration(places)
		ideal := max(work, time.Duration(calls)*step) + took*3/2
		// Probes that are refused far away take their place's turn with them.
		most := ideal + ideal/4 + 4*time.Second
		if last := w.ends[len(w.ends)-1].Sub(w.start); last > most {
			t.Fatalf("took %s, want at most %s", last, most)
		}
		minutes := w.ends[len(w.ends)-1].Sub(w.start).Minutes()
		burst := 0
		if step < 2*way+10*time.Millisecond {
			burst = calls
		}
		if most := float64(burst) + 12 + 8*minutes + float64(places)/2; float64(w.refused) > most {
			t.Fatalf("%d refused, want at most %.0f", w.refused, most)
		}
	})
}

// TestLimiter_KeepsAccountOfRunningCalls calls the methods in any order.
func TestLimiter_KeepsAccountOfRunningCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l concurrency.Limiter
		now := time.Unix(0, 0)
		var running, over []*concurrency.Call
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "ms")) * time.Millisecond)
			},
			"start": func(*rapid.T) {
				c := &concurrency.Call{}
				l.Start(now, c)
				running = append(running, c)
			},
			"end": func(t *rapid.T) {
				if len(running) > 0 {
					i := rapid.IntRange(0, len(running)-1).Draw(t, "which")
					l.End(now, running[i], rapid.Bool().Draw(t, "accepted"))
					over = append(over, running[i])
					running = append(running[:i:i], running[i+1:]...)
				}
			},
			"refused": func(t *rapid.T) {
				if len(running) > 0 {
					i := rapid.IntRange(0, len(running)-1).Draw(t, "which")
					l.Refused(now, running[i], concurrency.Evidence(rapid.IntRange(0, 2).Draw(t, "says")), 0)
					over = append(over, running[i])
					running = append(running[:i:i], running[i+1:]...)
				}
			},
			"again": func(t *rapid.T) {
				if len(over) > 0 {
					c := rapid.SampledFrom(over).Draw(t, "which")
					l.End(now, c, true)
					if l.Refused(now, c, concurrency.Named, 0) {
						t.Fatal("a call that is over was refused")
					}
				}
			},
			"": func(t *rapid.T) {
				s := l.Snapshot(now)
				if s.Running != len(running) {
					t.Fatalf("%d running, want %d", s.Running, len(running))
				}
				allowed := l.Allowed(now)
				if s.Limit < 0 || s.Limit == 0 && allowed != concurrency.Unlimited {
					t.Fatalf("limit %d, allowed %d", s.Limit, allowed)
				}
				// Somebody may go now, or when something ends, or at a time that is told.
				if allowed <= 0 && !l.Next(now).After(now) {
					t.Fatalf("allowed %d, and next at %v", allowed, l.Next(now))
				}
			},
		})
	})
}

// TestLimiter_AFallIsWonBackSoon lets the places fall to one for a moment, after minutes in
// which probes have become rare.
func TestLimiter_AFallIsWonBackSoon(t *testing.T) {
	const fall, back = 2 * time.Minute, 2*time.Minute + 2*time.Second
	w := newWorld(6)
	w.places = func(now time.Time) int {
		if since := now.Sub(w.start); since >= fall && since < back {
			return 1
		}
		return 10
	}
	for i := range 3000 {
		w.arrive(time.Duration(i)*50*time.Millisecond, 1)
	}
	w.run(3 * time.Minute)
	served := 0
	for _, at := range w.ends {
		if since := at.Sub(w.start); since > back+5*time.Second && since <= back+15*time.Second {
			served++
		}
	}
	if served < 95 {
		t.Errorf("%d served in ten seconds, from five seconds after all places were back, want about 100", served)
	}
}
