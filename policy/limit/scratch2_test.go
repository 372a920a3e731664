package limit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func mixed(seed uint64) []*job {
	var jobs []*job
	for i := range 100 {
		n := 100
		if i >= 60 {
			n = 500
		}
		if i >= 90 {
			n = 2500
		}
		jobs = append(jobs, &job{Waiter: Waiter{Tokens: n}, takes: 500 * time.Millisecond})
	}
	rand.New(rand.NewPCG(seed, 3)).Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	return jobs
}

func TestTokens(t *testing.T) {
	for _, nn := range []string{"1ms", "3ms", "200h2"} {
		for _, to := range []told{{}, {hint: "exact"}, {texts: true}, {headers: true}, {headers: true, texts: true}} {
			var worst, worstTime, sum, sumTime float64
			fail := 0
			for seed := range uint64(20) {
				up := &upstream{meters: []*meter{newMeter(origin, "tokens", 120000, time.Minute, refill, 4000)}, told: to}
				s := newSimulation(seed, Settings{Learn: true}, nets[nn], up)
				trace = os.Getenv("TRACE") == fmt.Sprint(seed)
				r := s.run(mixed(seed), 100*time.Second)
				fail += 100 - r.ok
				worst, sum = max(worst, float64(r.refused)), sum+float64(r.refused)/20
				worstTime, sumTime = max(worstTime, r.last.Seconds()), sumTime+r.last.Seconds()/20
			}
			fmt.Printf("tokens %5s %-42v refused %3.0f (%5.1f)  time %5.2f (%5.2f) fail %d\n", nn, to, worst, sum, worstTime, sumTime, fail)
		}
	}
}

func TestSixty(t *testing.T) {
	for _, nn := range []string{"1ms", "3ms"} {
		for _, size := range []float64{1, 60} {
			for _, e := range []enforcement{refill, quanta, window} {
				if e != refill && size == 1 {
					continue
				}
				for _, to := range []told{{}, {hint: "exact"}, {hint: "seconds"}, {texts: true}, {headers: true}, {headers: true, texts: true}} {
					var worst, worstTime, sum, sumTime float64
					fail := 0
					for seed := range uint64(5) {
						up := &upstream{meters: []*meter{newMeter(origin, "requests", 60, time.Minute, e, size)}, told: to, countRefusals: true}
						s := newSimulation(seed, Settings{Learn: true}, nets[nn], up)
						r := s.run(burst(600, 10, 500*time.Millisecond), 3000*time.Second)
						fail += 600 - r.ok
						worst, sum = max(worst, float64(r.refused)), sum+float64(r.refused)/5
						worstTime, sumTime = max(worstTime, r.last.Seconds()), sumTime+r.last.Seconds()/5
					}
					fmt.Printf("sixty %5s %s size=%2.0f %-42v refused %3.0f (%5.1f)  time %5.2f (%5.2f) fail %d\n", nn, e, size, to, worst, sum, worstTime, sumTime, fail)
				}
			}
		}
	}
}

func TestBurst(t *testing.T) {
	for _, nn := range []string{"1ms", "3ms", "200h2"} {
		for _, e := range []enforcement{refill, window} {
			for _, to := range []told{{}, {texts: true}, {headers: true}, {headers: true, texts: true}} {
				up := &upstream{meters: []*meter{newMeter(origin, "requests", 1200, time.Minute, e, 1200)}, told: to}
				s := newSimulation(1, Settings{Learn: true}, nets[nn], up)
				s.now = origin.Add(3 * time.Second)
				r := s.run(burst(400, 10, 500*time.Millisecond), 200*time.Second)
				r2 := result{}
				up = &upstream{meters: []*meter{newMeter(origin, "requests", 1200, time.Minute, e, 1200)}, told: to}
				s = newSimulation(1, Settings{Learn: true}, nets[nn], up)
				s.now = origin.Add(3 * time.Second)
				r2 = s.run(burst(3000, 10, 500*time.Millisecond), 400*time.Second)
				fmt.Printf("burst %5s %s %-42v refused %d time %.2f ok %d;  3000: refused %d time %.2f ok %d\n", nn, e, to, r.refused, r.last.Seconds()-3, r.ok, r2.refused, r2.last.Seconds()-3, r2.ok)
			}
		}
	}
}

func TestShift(t *testing.T) {
	for _, nn := range []string{"1ms", "3ms"} {
		for _, size := range []float64{1, 20, 1200} {
			for _, to := range []told{{}, {hint: "exact"}, {texts: true}, {headers: true}, {headers: true, texts: true}} {
				m := newMeter(origin, "requests", 1200, time.Minute, refill, size)
				up := &upstream{meters: []*meter{m}, told: to}
				s := newSimulation(1, Settings{Learn: true}, nets[nn], up)
				if os.Getenv("TRACE") == nn+to.String() {
					trace = true
				} else {
					trace = false
				}
				s.changes = []change{
					{60 * time.Second, func(now time.Time, u *upstream) { m.advance(now); m.set(600, time.Minute, max(size/2, 1)) }},
					{120 * time.Second, func(now time.Time, u *upstream) { m.advance(now); m.set(1200, time.Minute, size) }},
				}
				r := s.run(burst(6000, 10, 500*time.Millisecond), 180*time.Second)
				fmt.Printf("shift %5s size %4.0f %-42v", nn, size, to)
				count := func(ts []time.Duration, a, b int) int {
					n := 0
					for _, x := range ts {
						if x >= time.Duration(a)*time.Second && x < time.Duration(b)*time.Second {
							n++
						}
					}
					return n
				}
				fmt.Printf(" refused %3d %3d %3d | per s: 50-60 %.1f  60-70 %.1f 70-90 %.2f 90-120 %.2f  120-130 %.1f 130-150 %.2f 150-180 %.2f\n",
					count(r.refusedAt, 0, 60), count(r.refusedAt, 60, 120), count(r.refusedAt, 120, 180),
					float64(count(r.accepted, 50, 60))/10, float64(count(r.accepted, 60, 70))/10, float64(count(r.accepted, 70, 90))/20, float64(count(r.accepted, 90, 120))/30, float64(count(r.accepted, 120, 130))/10, float64(count(r.accepted, 130, 150))/20, float64(count(r.accepted, 150, 180))/30)
			}
		}
	}
}
