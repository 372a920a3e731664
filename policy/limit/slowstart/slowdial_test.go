package slowstart

import (
	"testing"
	"time"
)

// However long it takes until a request is on the wire, later ones are let out.
func TestALongWayToTheWireEndsNoBurst(t *testing.T) {
	for _, dial := range []time.Duration{time.Second, 10 * time.Second, 11 * time.Second, time.Minute, time.Hour} {
		t.Run(dial.String(), func(t *testing.T) {
			r := &Ramp{}
			r.Start(ColdQuota)
			at, out := time.Duration(0), 0
			for step := 0; step < 100 && r.On; step++ {
				for r.On && r.Wait(at, 0) == 0 {
					r.Take(at)
					r.Wrote(at+dial, dial, 0)
					out++
				}
				at = max(at, r.slot, r.consent())
			}
			if out < 100 {
				t.Errorf("%d were let out in 100 steps, want one in each", out)
			}
		})
	}
}
