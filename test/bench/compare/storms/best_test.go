package storms

import (
	"math"
	"testing"
	"time"

	"outrigger/internal/sim/meter"
)

func TestBest_IsWhatTheLimitsLeave(t *testing.T) {
	tests := map[string]struct{ got, want Best }{
		"rate":   {byRate(meter.Limit{RPM: 1200, Burst: time.Second}, burst(200, call{}), time.Second), Best{100, 10, 1}},
		"tokens": {byRate(meter.Limit{TPM: 60_000, Burst: time.Second}, burst(11, call{tokens: 1000}), 0), Best{100, 10, 1}},
		"slots":  {bySlots(4, burst(24, call{}), 3*time.Second), Best{100, 18, 1}},
		"idle":   {bySlots(10, steady(10, 0, 2*time.Second, call{}), time.Second), Best{100, 2.9, 1}},
		"outage": {byTime(steady(20, 0, 4*time.Second, call{}), 5*time.Second, time.Second), Best{100, 6, 1}},
		"chance": {byChance(burst(2, call{}), 0.4, 0.4, time.Second), Best{50, 1, 1.25}},
	}
	for name, tt := range tests {
		if math.Abs(tt.got.Makespan-tt.want.Makespan) > 0.001 || tt.got.Success != tt.want.Success || tt.got.Calls != tt.want.Calls {
			t.Errorf("%s: got %+v, want %+v", name, tt.got, tt.want)
		}
	}
}

func TestStorms_AreValid(t *testing.T) {
	names := map[string]bool{}
	for _, s := range All() {
		if names[s.Name] || len(s.calls) == 0 || s.timeout == 0 || s.best.Makespan == 0 {
			t.Errorf("storm %q: %+v", s.Name, s.best)
		}
		names[s.Name] = true
		if err := s.upstream.Validate(); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		for _, rule := range s.faults {
			if err := rule.Validate(); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}
