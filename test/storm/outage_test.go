package storm

import (
	"net/http"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/proxy/settings"
)

// The outage: 5 s of it in 20 s of 50 calls per second.
const (
	outageStart = 7 * time.Second
	outageEnd   = 12 * time.Second
)

// away starts an outage of that kind when it is time.
func away(kind sim.OutageKind) func(*rig) {
	return func(g *rig) {
		time.Sleep(outageStart) // the bubble's clock
		if err := g.sim.Outage(sim.Outage{Kind: kind, For: outageEnd - outageStart}); err != nil {
			g.t.Errorf("starting the outage: %v", err)
		}
	}
}

func TestAnOutageIsWaitedOutAndNotMadeWorse(t *testing.T) {
	together(t)
	bounded := through
	bounded.config = func(c *settings.Config) { c.Timeouts.Attempt = 2 * time.Second }
	tests := []struct {
		name string
		kind sim.OutageKind
		way  way
	}{
		{"503", sim.OutageStatus, through},
		{"hanging", sim.OutageHang, bounded},
		{"refused", sim.OutageRefuse, through},
		{"reset", sim.OutageReset, through},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := weather{
				name: "5 s away: " + tt.name, upstream: sim.Config{Latency: 20 * time.Millisecond},
				calls: steady(50, 0, 20*time.Second, call{}), during: away(tt.kind),
			}
			s.ride(t, alone)
			o := s.ride(t, tt.way)
			o.tell(t)
			during := o.between(outageStart, outageEnd)
			least(t, "success in %", o.success(), 97)
			most(t, "calls per request in the outage", during.perRequest(), 1.3)
		})
	}
}

// TestFlappingIsRiddenOut has an upstream that is down for the first 2 s of every 5.
func TestFlappingIsRiddenOut(t *testing.T) {
	together(t)
	flaps := func(r fault.Rule) sim.Config {
		r.Unread, r.Stop, r.Period = true, 2*time.Second, 5*time.Second
		return sim.Config{Latency: 20 * time.Millisecond, Faults: []fault.Rule{r}}
	}
	tests := []struct {
		name string
		rule fault.Rule
	}{
		{"503", fault.Rule{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable}},
		{"reset", fault.Rule{Kind: fault.KindReset}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := weather{name: "down 2 s of every 5: " + tt.name, upstream: flaps(tt.rule), calls: steady(50, 0, 30*time.Second, call{})}
			s.ride(t, alone)
			o := s.ride(t, through)
			o.tell(t)
			least(t, "success in %", o.success(), 99.5)
			most(t, "calls per request", o.perRequest(), 1.3)
		})
	}
}
