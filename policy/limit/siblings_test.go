package limit_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"outrigger/policy/limit"
)

// jitter is that of both ways in the stories, beside half the round trip.
const jitter = 1500 * time.Microsecond

func TestKeysOfOneAccountAreFoundOut(t *testing.T) {
	within := map[bool]time.Duration{true: 7 * time.Second, false: 30 * time.Second}
	for _, trip := range []time.Duration{time.Millisecond, 200 * time.Millisecond} {
		for _, headers := range []bool{true, false} {
			for _, counted := range []bool{false, true} {
				for _, n := range []int{2, 3, 4} {
					t.Run(fmt.Sprint(trip, ", headers ", headers, ", counted ", counted, ", ", n, " keys"), func(t *testing.T) {
						for seed := range uint64(3) {
							random := rand.New(rand.NewPCG(seed, 2))
							a := toldAccount{rpm: 1200, burst: 20, headers: headers, texts: true, counted: counted}
							var keys []keyLoad
							var all []int
							for i := range n {
								keys = append(keys, keyLoad{org: "org-a", model: "gpt-4o", at: poisson(random, 24/float64(n), 0, time.Minute)})
								all = append(all, i)
							}
							got := tellStory(seed, trip, jitter, []toldAccount{a}, keys)
							if len(got) != 1 || got[0].what != fmt.Sprint("join", all) || got[0].at > within[headers] {
								t.Errorf("seed %d: %v", seed, got)
							}
						}
					})
				}
			}
		}
	}
}

func TestSeparateAccountsAreNeverTakenForOne(t *testing.T) {
	long, stories := 5*time.Minute, uint64(0)
	if testing.Short() {
		long = time.Minute
	}
	loads := map[string]func(*rand.Rand, int) []time.Duration{
		"even":          func(_ *rand.Rand, _ int) []time.Duration { return evenly(18, 0, long) },
		"even and over": func(_ *rand.Rand, _ int) []time.Duration { return evenly(22, 0, long) },
		"even, shifted": func(_ *rand.Rand, i int) []time.Duration {
			return evenly(18, time.Duration(i)*20*time.Millisecond, long)
		},
		"random":         func(r *rand.Rand, _ int) []time.Duration { return poisson(r, 18, 0, long) },
		"random, over":   func(r *rand.Rand, _ int) []time.Duration { return poisson(r, 24, 0, long) },
		"random, little": func(r *rand.Rand, _ int) []time.Duration { return poisson(r, 3, 0, long) },
		"bursts": func(r *rand.Rand, _ int) []time.Duration {
			var all []time.Duration
			for t := time.Duration(0); t < long; t += 10 * time.Second {
				all = append(all, poisson(r, 60, t, t+2*time.Second)...)
			}
			return all
		},
	}
	// Others use the accounts too, in ways that look much like the other keys' requests.
	others := map[string]func(*rand.Rand, []time.Duration) []time.Duration{
		"nobody":         func(*rand.Rand, []time.Duration) []time.Duration { return nil },
		"5 per second":   func(*rand.Rand, []time.Duration) []time.Duration { return evenly(5, 0, long) },
		"5 at random":    func(r *rand.Rand, _ []time.Duration) []time.Duration { return poisson(r, 5, 0, long) },
		"a pod the same": func(_ *rand.Rand, own []time.Duration) []time.Duration { return own },
		"a pod that follows": func(_ *rand.Rand, own []time.Duration) []time.Duration {
			all := slices.Clone(own)
			for i := range all {
				all[i] += 5 * time.Millisecond
			}
			return all
		},
	}
	for _, name := range slices.Sorted(maps.Keys(loads)) {
		for _, who := range slices.Sorted(maps.Keys(others)) {
			load, other := loads[name], others[who]
			for _, headers := range []bool{true, false} {
				for _, each := range []float64{1, 2} {
					if each > 1 && !headers && who != "nobody" {
						continue
					}
					seed := stories
					stories++
					t.Run(fmt.Sprint(name, ", others: ", who, ", headers ", headers, ", charged ", each), func(t *testing.T) {
						t.Parallel()
						random := rand.New(rand.NewPCG(seed, 3))
						var accounts []toldAccount
						var keys []keyLoad
						for i := range 3 {
							at := load(random, i)
							accounts = append(accounts, toldAccount{
								rpm: 1200, burst: []float64{20, 0}[random.IntN(2)], headers: headers, texts: true,
								each: each, counted: random.IntN(3) == 0, fromOther: other(random, at),
							})
							keys = append(keys, keyLoad{account: i, org: "org-a", model: "gpt-4o", at: at})
						}
						if got := tellStory(seed, time.Millisecond, jitter, accounts, keys); len(got) > 0 {
							t.Errorf("seed %d: %v", seed, got)
						}
					})
				}
			}
		}
	}
}

func TestOnlyThoseThatShareAreJoined(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 4))
	tests := map[string]struct {
		keys []keyLoad
		want []string
	}{
		"two organizations with two keys each": {
			keys: []keyLoad{{account: 0}, {account: 1}, {account: 0}, {account: 1}},
			want: []string{"join[0 2]", "join[1 3]"},
		},
		"two of three": {
			keys: []keyLoad{{account: 0}, {account: 0}, {account: 1}},
			want: []string{"join[0 1]"},
		},
		"organizations that are not the same": {
			keys: []keyLoad{{account: 0, org: "org-a"}, {account: 0, org: "org-b"}},
		},
		"one that comes later": {
			keys: []keyLoad{{account: 0}, {account: 0}, {account: 0, at: poisson(random, 10, 15*time.Second, 30*time.Second)}},
			want: []string{"join[0 1 2]", "join[0 1]"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for i := range tt.keys {
				if tt.keys[i].at == nil {
					tt.keys[i].at = poisson(random, 11, 0, 30*time.Second)
				}
			}
			account := toldAccount{rpm: 1200, burst: 20, headers: true}
			var got []string
			for _, s := range tellStory(1, time.Millisecond, jitter, []toldAccount{account, account}, tt.keys) {
				got = append(got, s.what)
			}
			slices.Sort(got)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestKeysThatShareNoMoreArePartedSoon moves one of two keys to an account of its own.
func TestKeysThatShareNoMoreArePartedSoon(t *testing.T) {
	const moves = 20 * time.Second
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 5))
		account := toldAccount{rpm: 1200, burst: 20, headers: true}
		keys := []keyLoad{
			{at: poisson(random, 12, 0, time.Minute)},
			{at: poisson(random, 12, 0, time.Minute), moves: moves, movesTo: 1},
		}
		got := tellStory(seed, time.Millisecond, jitter, []toldAccount{account, account}, keys)
		if len(got) != 2 || got[0].what != "join[0 1]" || got[1].what != "part[0 1]" || got[1].at < moves || got[1].at > moves+10*time.Second {
			t.Errorf("seed %d: %v", seed, got)
		}
	}
}

// TestKeysThatStayTogetherAreNotParted holds also where others use the account too.
func TestKeysThatStayTogetherAreNotParted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 6))
	account := toldAccount{rpm: 1200, burst: 20, headers: true, fromOther: poisson(random, 8, 20*time.Second, 5*time.Minute)}
	keys := []keyLoad{{at: poisson(random, 12, 0, 5*time.Minute)}, {at: poisson(random, 12, 0, 5*time.Minute)}}
	got := tellStory(1, time.Millisecond, jitter, []toldAccount{account}, keys)
	if len(got) != 1 || got[0].what != "join[0 1]" {
		t.Errorf("got %v", got)
	}
}

func TestWhatIsWatchedIsBounded(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	s := limit.NewSiblings(start)
	var all []*limit.Sibling
	for i := range 200 {
		m := &limit.Sibling{}
		all = append(all, m)
		if watched := s.Sent(start, m) > 0; watched != (i < 64) {
			t.Fatalf("limiter %d is watched: %v", i, watched)
		}
	}
	if s.Sent(start.Add(time.Minute), all[100]) == 0 {
		t.Error("one that sends is not watched in the place of one that does not")
	}
	s.Forget(all[1])
	if s.Sent(start.Add(time.Minute), all[101]) == 0 {
		t.Error("one that was forgotten left no room")
	}
}

func TestHeadersThatProveNothingAboutSiblingsAreIgnored(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	for name, r := range map[string]limit.Reading{
		"tokens":     {Dimension: "tokens", Limit: 1200, Remaining: 600, Reset: 30 * time.Second, Resolution: time.Millisecond},
		"no reset":   {Dimension: "requests", Limit: 1200, Remaining: 600, Reset: -1},
		"a window":   {Dimension: "requests", Limit: 1200, Remaining: 1100, Reset: 40 * time.Second, Resolution: time.Millisecond},
		"too coarse": {Dimension: "requests", Limit: 1200, Remaining: 1190, Reset: time.Second, Resolution: time.Second},
		"nonsense":   {Dimension: "requests", Limit: 1200, Remaining: 1300, Reset: time.Second, Resolution: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := limit.NewSiblings(start)
			a, b := &limit.Sibling{}, &limit.Sibling{}
			now := start
			for i := range 1000 {
				now = now.Add(time.Duration(i%7) * 20 * time.Millisecond)
				for _, m := range []*limit.Sibling{a, b} {
					id := s.Sent(now, m)
					r.Remaining = max(0, r.Remaining-1)
					if c := s.Answered(now.Add(time.Millisecond), m, id, false, limit.Told{Headers: limit.Headers{Readings: []limit.Reading{r}}}.Quota()); c.Join != nil || c.Part != nil {
						t.Fatalf("got %+v", c)
					}
				}
			}
		})
	}
}

// BenchmarkSiblings is the cost of an answer while there is nothing to find: eight keys
// with accounts of their own, which are told the same limit. Admission is what the
// limiter itself takes for the same request.
func BenchmarkSiblings(b *testing.B) {
	headers := limit.Headers{Readings: []limit.Reading{{
		Dimension: "requests", Limit: 7500, Remaining: 7400, Reset: 800 * time.Millisecond, Resolution: time.Millisecond,
	}}}
	b.Run("watching", func(b *testing.B) {
		now := time.Unix(1_800_000_000, 0)
		s := limit.NewSiblings(now)
		var all [8]limit.Sibling
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			now = now.Add(time.Millisecond)
			m := &all[i%len(all)]
			s.Answered(now.Add(time.Millisecond), m, s.Sent(now, m), false, limit.Told{Headers: headers}.Quota())
		}
	})
	b.Run("admission", func(b *testing.B) {
		now := time.Unix(1_800_000_000, 0)
		l := limit.New(limit.Settings{Learn: true}, now)
		b.ReportAllocs()
		for b.Loop() {
			now = now.Add(time.Millisecond)
			w := limit.Waiter{Tokens: 100}
			l.Enter(now, &w)
			l.Sent(now, &w)
			l.Answered(now.Add(time.Millisecond), &w, headers)
		}
	})
}
