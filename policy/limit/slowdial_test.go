package limit

import (
	"testing"
	"time"
)

// However long it takes until a request is on the wire, later ones are let out.
func TestALongWayToTheWireEndsNoBurst(t *testing.T) {
	for _, dial := range []time.Duration{time.Second, 10 * time.Second, 11 * time.Second, time.Minute, time.Hour} {
		t.Run(dial.String(), func(t *testing.T) {
			r := &ramp{}
			r.start(coldQuota)
			at, out := time.Duration(0), 0
			for step := 0; step < 100 && r.on; step++ {
				for r.on && r.wait(at, 0) == 0 {
					r.take(at)
					r.wrote(at+dial, dial, 0)
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
