package limit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func newSimulation(seed uint64, set Settings, net network, up *upstream) *simulation {
	rnd := rand.New(rand.NewPCG(seed, 7))
	return &simulation{limiter: New(set, origin), up: up, net: net, rnd: rnd, now: origin}
}

func burst(n int, tokens int, takes time.Duration) []*job {
	jobs := make([]*job, n)
	for i := range jobs {
		jobs[i] = &job{Waiter: Waiter{Tokens: tokens}, takes: takes}
	}
	return jobs
}

var nets = map[string]network{
	"1ms":   {rtt: time.Millisecond, dials: true},
	"3ms":   {rtt: time.Millisecond, jitter: 3 * time.Millisecond, dials: true},
	"200nd": {rtt: 200 * time.Millisecond, jitter: 10 * time.Millisecond},
	"200h2": {rtt: 200 * time.Millisecond, jitter: 10 * time.Millisecond, shares: true},
	"200ms": {rtt: 200 * time.Millisecond, jitter: 10 * time.Millisecond, dials: true},
}

func TestScratch(t *testing.T) {
	s := newSimulation(1, Settings{Learn: true}, network{rtt: time.Millisecond}, &upstream{})
	r := s.run(burst(1000, 100, 500*time.Millisecond), 0)
	t.Log(r.ok, r.refused, r.last, r.end)
	for _, nn := range []string{"1ms", "3ms", "200ms"} {
		for _, e := range []enforcement{refill, quanta} {
			for _, size := range []float64{1, 20} {
				if e == quanta && size == 1 {
					continue
				}
				for _, counts := range []bool{false, true} {
					for _, to := range []told{{}, {hint: "exact"}, {hint: "seconds"}, {texts: true}, {headers: true}, {headers: true, texts: true}} {
						var worst, sum, worstTime, sumTime float64
						fail := 0
						const seeds = 20
						for seed := range uint64(seeds) {
							phase := time.Duration(rand.New(rand.NewPCG(seed, 1)).Int64N(int64(time.Second)))
							m := newMeter(origin, "requests", 1200, time.Minute, e, size)
							m.at = m.at.Add(phase - time.Second)
							up := &upstream{meters: []*meter{m}, countRefusals: counts, told: to}
							s := newSimulation(seed, Settings{Learn: true}, nets[nn], up)
							r := s.run(burst(400, 100, 500*time.Millisecond), 200*time.Second)
							fail += 400 - r.ok
							worst, sum = max(worst, float64(r.refused)), sum+float64(r.refused)/seeds
							worstTime, sumTime = max(worstTime, r.last.Seconds()), sumTime+r.last.Seconds()/seeds
						}
						fmt.Printf("%5s %6s size=%2.0f counts=%-5v %-42v refused %3.0f (%5.1f)  time %5.2f (%5.2f) fail %d\n", nn, e, size, counts, to, worst, sum, worstTime, sumTime, fail)
					}
				}
			}
		}
	}
}
