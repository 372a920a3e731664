package chaos

import (
	"math/rand/v2"
	"time"

	"outrigger/test/chaos/relay"
)

// forecast draws the next weather: calm now and then, a little of everything, much of one kind,
// a bad line, or none at all.
func forecast(random *rand.Rand) relay.Weather {
	kinds := relay.Kinds()
	w := relay.Weather{Chance: map[relay.Kind]float64{}}
	switch random.IntN(10) {
	case 0, 1:
		w.Name = "calm"
	case 2, 3, 4:
		w.Name = "drizzle"
		for _, k := range kinds {
			w.Chance[k] = 0.01 * random.Float64()
		}
	case 5:
		w.Name = "mixed"
		for _, k := range kinds {
			w.Chance[k] = 0.05 * random.Float64()
		}
	case 6, 7:
		k := kinds[random.IntN(len(kinds))]
		w.Name = "much " + string(k)
		w.Chance[k] = 0.1 + 0.4*random.Float64()
	case 8:
		w.Name = "bad line"
		w.Latency, w.Jitter = time.Duration(random.IntN(60))*time.Millisecond, time.Duration(random.IntN(100))*time.Millisecond
		w.Rate = 20_000 << random.IntN(5)
		w.Piece = 100 << random.IntN(6)
	case 9:
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
	if random.IntN(4) == 0 && w.Piece == 0 {
		w.Name += ", in pieces"
		w.Piece = 1 + random.IntN(40)
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
type relays []*relay.Relay

func (r relays) addresses() []string { return []string{r[0].Addr(), r[1].Addr()} }

func (r relays) change(random *rand.Rand) string {
	way := random.IntN(3) // the first, the second, or both
	w := forecast(random)
	if way != 1 {
		r[0].Set(w)
	}
	if way != 0 {
		r[1].Set(w)
	}
	return []string{"one: ", "two: ", "both: "}[way] + w.Name
}

func (r relays) calm() {
	for _, each := range r {
		each.Set(relay.Weather{Name: "calm"})
	}
}

func (r relays) faults() map[string]int {
	all := map[string]int{}
	for _, each := range r {
		for k, n := range each.Struck() {
			all[string(k)] += n
		}
	}
	return all
}
