package limit

import (
	"fmt"
	"testing"
	"time"
)

func TestDbg(t *testing.T) {
	up := &upstream{meters: []*meter{newMeter(origin, "requests", 1200, time.Minute, window, 1200)}, told: told{texts: true}}
	s := newSimulation(1, Settings{Learn: true}, nets["1ms"], up)
	s.now = origin.Add(3 * time.Second)
	trace = true
	r := s.run(burst(3000, 10, 500*time.Millisecond), 400*time.Second)
	fmt.Println(r.ok, r.refused, r.last, r.turnedAway)
	fmt.Printf("%+v\n", s.limiter.Snapshot(s.now))
}
