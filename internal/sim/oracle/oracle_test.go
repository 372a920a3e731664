package oracle

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"outrigger/internal/sim/meter"
	"outrigger/test/chance"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestEachRequestGoesAsSoonAsItsLimitPermits has requests at 0 s and one late one.
func TestEachRequestGoesAsSoonAsItsLimitPermits(t *testing.T) {
	s := time.Second
	tests := map[string]struct {
		limit meter.Limit
		from  time.Duration // after noon
		cost  meter.Cost
		want  []time.Duration // of four at once, and of one that comes after 100 s
	}{
		"no limit":                 {meter.Limit{}, 0, meter.Cost{}, []time.Duration{0, 0, 0, 0, 100 * s}},
		"a bucket that refills":    {meter.Limit{RPM: 30, Burst: 4 * s}, 0, meter.Cost{}, []time.Duration{0, 0, 2 * s, 4 * s, 100 * s}},
		"a minute's bucket":        {meter.Limit{RPM: 2}, 0, meter.Cost{}, []time.Duration{0, 0, 30 * s, 60 * s, 100 * s}},
		"shares of a second":       {meter.Limit{RPM: 120, Enforce: meter.Quanta}, s / 2, meter.Cost{}, []time.Duration{0, 0, s / 2, s / 2, 100 * s}},
		"shares of ten":            {meter.Limit{RPM: 12, Enforce: meter.Quanta, Quantum: 10 * s}, 3 * s, meter.Cost{}, []time.Duration{0, 0, 7 * s, 7 * s, 100 * s}},
		"a share is one at least":  {meter.Limit{RPM: 6, Enforce: meter.Quanta}, 0, meter.Cost{}, []time.Duration{0, 10 * s, 20 * s, 30 * s, 100 * s}},
		"a minute of the clock":    {meter.Limit{RPM: 3, Enforce: meter.Window}, 50 * s, meter.Cost{}, []time.Duration{0, 0, 0, 10 * s, 100 * s}},
		"a day that ends":          {meter.Limit{RPD: 3, Enforce: meter.Window}, 12*time.Hour - s, meter.Cost{}, []time.Duration{0, 0, 0, s, 100 * s}},
		"tokens":                   {meter.Limit{TPM: 600, Burst: 10 * s}, 0, meter.Cost{Tokens: 50}, []time.Duration{0, 0, 5 * s, 10 * s, 100 * s}},
		"more than a bucket holds": {meter.Limit{TPM: 600, Burst: 2 * s}, 0, meter.Cost{Tokens: 50}, []time.Duration{0, 5 * s, 10 * s, 15 * s, 100 * s}},
		"images":                   {meter.Limit{IPM: 60, Burst: 2 * s}, 0, meter.Cost{Images: 1}, []time.Duration{0, 0, s, 2 * s, 100 * s}},
		"the slower of two":        {meter.Limit{RPM: 60, TPM: 600, Burst: s}, 0, meter.Cost{Tokens: 20}, []time.Duration{0, 2 * s, 4 * s, 6 * s, 100 * s}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			from := start.Add(tt.from)
			o := New(tt.limit, from)
			var got []time.Duration
			for _, at := range []time.Duration{0, 0, 0, 0, 100 * s} {
				got = append(got, o.Next(from.Add(at), tt.cost).Sub(from).Round(time.Microsecond))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestNoOtherScheduleOfEqualsIsFaster compares with other orders, and with others that
// wait now and then although they need not.
func TestNoOtherScheduleOfEqualsIsFaster(t *testing.T) {
	seed := chance.Seed(t)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 5000 {
		limit := meter.Limit{RPM: 60 * (1 + r.IntN(4)), TPM: 60 * (2 + r.IntN(10)), Burst: time.Second}
		limit.Enforce = []meter.Enforcement{meter.Refill, meter.Quanta, meter.Window}[r.IntN(3)]
		limit.Quantum = []time.Duration{0, 10 * time.Second}[r.IntN(2)]
		arrivals := make([]time.Duration, 1+r.IntN(8))
		for i := range arrivals {
			arrivals[i] = time.Duration(r.Int64N(int64(10 * time.Second)))
		}
		cost := meter.Cost{Tokens: 1 + r.IntN(60)}
		makespan := func(dawdle float64) time.Time {
			o, last := New(limit, start), start
			for _, a := range arrivals {
				last = o.Next(start.Add(a+time.Duration(r.Float64()*dawdle*float64(time.Second))), cost)
			}
			return last
		}
		slices.Sort(arrivals)
		best := makespan(0)
		for range 10 {
			r.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
			if got := makespan(float64(r.IntN(2))); best.Sub(got) > time.Microsecond { // rounding
				t.Fatalf("seed %d: %+v, %+v at %v: all let through by %v, before the oracle's %v", seed, limit, cost, arrivals, got.Sub(start), best.Sub(start))
			}
		}
	}
}
