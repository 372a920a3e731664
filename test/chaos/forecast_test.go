package chaos

import (
	"math/rand/v2"
	"time"

	"outrigger/test/chaos/relay"
)

// forecast draws the next weather: much of one kind, a little of everything, a bad line, none at
// all, or calm.
func forecast(random *rand.Rand, one relay.Kind) relay.Weather {
	kinds := relay.Kinds()
	w := relay.Weather{Chance: map[relay.Kind]float64{}}
	switch n := random.IntN(14); n {
	default:
		w.Name = "much " + string(one)
		w.Chance[one] = 0.2 + 0.6*random.Float64()
	case 0:
		w.Name = "calm"
	case 1, 2, 3:
		w.Name = "drizzle"
		for _, k := range kinds {
			w.Chance[k] = 0.01 * random.Float64()
		}
	case 4, 5:
		w.Name = "mixed"
		for _, k := range kinds {
			w.Chance[k] = 0.06 * random.Float64()
		}
	case 6:
		w.Name = "bad line"
		w.Latency, w.Jitter = time.Duration(random.IntN(60))*time.Millisecond, time.Duration(random.IntN(100))*time.Millisecond
		w.Rate = 20_000 << random.IntN(5)
		w.Piece = 100 << random.IntN(6)
	case 7:
		w.Name = "down"
		switch random.IntN(3) {
		case 0:
			w.Chance[relay.Refuse], w.Chance[relay.ResetAnswer], w.Chance[relay.ResetRequest] = 1, 0.5, 0.5
		case 1:
			w.Chance[relay.Ignore], w.Chance[relay.SwallowAnswer], w.Chance[relay.SwallowRequest] = 1, 0.5, 0.5
		default:
			w.Deaf = true
			w.Chance[relay.ResetRequest] = 0.5
		}
	}
	if random.IntN(5) == 0 && w.Piece == 0 {
		w.Name += ", in pieces"
		w.Piece = 1 << random.IntN(10)
	}
	return w
}

// network is what fails between Outrigger and the upstream.
type network interface {
	// addresses are where the upstream is reached.
	addresses() []string
	// change makes the next weather, and says which.
	change(random *rand.Rand) string
	// calm ends all faults.
	calm()
	// faults is how often each has happened, as far as it is known.
	faults() map[string]int
}

// relays is a network of two ways, each through a relay.
type relays struct {
	ways [2]*relay.Relay
	deck []relay.Kind // that have not had their weather yet
}

func (r *relays) addresses() []string { return []string{r.ways[0].Addr(), r.ways[1].Addr()} }

func (r *relays) change(random *rand.Rand) string {
	if len(r.deck) == 0 {
		r.deck = relay.Kinds()
		random.Shuffle(len(r.deck), func(i, j int) { r.deck[i], r.deck[j] = r.deck[j], r.deck[i] })
	}
	w := forecast(random, r.deck[0])
	if w.Chance[r.deck[0]] > 0.1 {
		r.deck = r.deck[1:]
	}
	way := random.IntN(4) // the first, the second, or both
	if way != 1 {
		r.ways[0].Set(w)
	}
	if way != 0 {
		r.ways[1].Set(w)
	}
	return []string{"one: ", "two: ", "both: ", "both: "}[way] + w.Name
}

func (r *relays) calm() {
	for _, each := range r.ways {
		each.Set(relay.Weather{Name: "calm"})
	}
}

func (r *relays) faults() map[string]int {
	all := map[string]int{}
	for _, each := range r.ways {
		struck := each.Struck()
		for _, k := range relay.Kinds() {
			all[string(k)] += struck[k]
		}
	}
	return all
}
