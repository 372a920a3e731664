package limit
import ("testing";"time";"fmt")
func TestDbg(t *testing.T) {
	for seed := range uint64(1) {
	up := &upstream{meters: []*meter{newMeter(origin, "requests", 60, time.Minute, refill, 1)}, told: told{texts:true}, countRefusals: true}
	s := newSimulation(seed, Settings{Learn: true}, nets["3ms"], up)
	s.max = 300000
	trace = true
	r := s.run(burst(600, 10, 500*time.Millisecond), 3000*time.Second)
	fmt.Println(r.ok, r.refused, r.last)
	}
}
