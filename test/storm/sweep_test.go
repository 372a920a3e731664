package storm

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// TestASweepOfFailureRatesIsNeverWorseThanTheOfficialSDK has 500s at every tenth,
// whatever the load. The SDK alone makes three attempts; five are possible up to a half.
func TestASweepOfFailureRatesIsNeverWorseThanTheOfficialSDK(t *testing.T) {
	together(t)
	for tenth := 1; tenth <= 9; tenth++ {
		p := float64(tenth) / 10
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			together(t)
			s := weather{name: fmt.Sprint("500 at ", p), upstream: failing(p), calls: steady(20, 0, 15*time.Second, call{}), seeds: 3}
			s.ride(t, alone)
			s.seeds = 6
			if tenth > 5 {
				s.seeds = 10 // chance varies more
			}
			o := s.ride(t, through)
			least(t, "success in %", o.success(), 100*(1-p*p*p)-1)
			if tenth <= 5 {
				least(t, "success in %", o.success(), 100*(1-math.Pow(p, 5))-1)
			}
		})
	}
}
