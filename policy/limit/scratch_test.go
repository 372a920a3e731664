package limit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

type scen struct {
	e      enforcement
	size   float64
	counts bool
	to     told
	net    string
}

func (c scen) run(seed uint64) result {
	phase := time.Duration(rand.New(rand.NewPCG(seed, 1)).Int64N(int64(time.Second)))
	m := newMeter(origin, "requests", 1200, time.Minute, c.e, c.size)
	m.at = m.at.Add(phase - time.Second)
	up := &upstream{meters: []*meter{m}, countRefusals: c.counts, told: c.to}
	s := newSimulation(seed, Settings{Learn: true}, nets[c.net], up)
	return s.run(burst(400, 100, 500*time.Millisecond), 60*time.Second)
}
func TestMatrix(t *testing.T) {
	for _, nn := range []string{"1ms", "3ms", "200h2", "200ms"} {
		for _, e := range []enforcement{refill, quanta} {
			for _, size := range []float64{1, 20} {
				if e == quanta && size == 1 {
					continue
				}
				for _, counts := range []bool{false, true} {
					for _, to := range []told{{}, {hint: "exact"}, {hint: "seconds"}, {texts: true}, {headers: true}, {headers: true, texts: true}, {headers: true, hint: "exact"}} {
						c := scen{e, size, counts, to, nn}
						var worst, sum, worstTime, sumTime float64
						fail := 0
						const seeds = 20
						for seed := range uint64(seeds) {
							r := c.run(seed)
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
func TestTrace(t *testing.T) {
	if os.Getenv("TRACE") == "" {
		t.Skip()
	}
	c := scen{e: enforcement(os.Getenv("E")), size: 20, net: os.Getenv("NET")}
	if os.Getenv("SIZE") == "1" {
		c.size = 1
	}
	if os.Getenv("COUNTS") != "" {
		c.counts = true
	}
	if os.Getenv("HDR") != "" {
		c.to.headers = true
	}
	if os.Getenv("TXT") != "" {
		c.to.texts = true
	}
	c.to.hint = os.Getenv("HINT")
	var seed uint64
	fmt.Sscan(os.Getenv("TRACE"), &seed)
	trace = true
	r := c.run(seed)
	fmt.Println(r.ok, r.refused, r.last)
}
