package limit

import (
	"testing"
	"time"
)

// TestASecondsShareHoldsFewerOfLargerRequests: those that went were small, and 20 of
// their size would fit into a second's share. Which ones come first is up to nobody.
func TestASecondsShareHoldsFewerOfLargerRequests(t *testing.T) {
	tests := map[string]struct {
		tokens []int // of those who wait
		want   int
	}{
		"nobody waits":         {nil, 20},
		"small ones":           {[]int{100, 50}, 20},
		"larger ones":          {[]int{400, 600}, 4},
		"one larger than that": {[]int{5000}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(Settings{Learn: true}, origin)
			l.answer(t, 0, &Waiter{Tokens: 100}, limits("Tokens", "120000", "119900", "50ms"))
			l.hold(at(time.Millisecond), time.Second)
			for _, n := range tt.tokens {
				if got := l.Enter(at(time.Millisecond), &Waiter{Tokens: n}); got.Reason != Queued {
					t.Fatal(got)
				}
			}
			if got := l.safe(); got != tt.want {
				t.Errorf("%d at once, want %d", got, tt.want)
			}
		})
	}
}

// TestAQuickAnswerShowsHowLongARefusalTakes: the dial may tell nothing of it.
func TestAQuickAnswerShowsHowLongARefusalTakes(t *testing.T) {
	tests := map[string]struct {
		answers []time.Duration
		worked  time.Duration
		step    time.Duration
	}{
		"near":                      {[]time.Duration{20 * time.Millisecond}, 0, coldStep},
		"far behind an edge":        {[]time.Duration{220 * time.Millisecond}, 0, 275 * time.Millisecond},
		"the quickest of them":      {[]time.Duration{20 * time.Millisecond, 290 * time.Millisecond}, 0, coldStep},
		"work, of which none knows": {[]time.Duration{500 * time.Millisecond}, 0, coldStep},
		"far, and work":             {[]time.Duration{900 * time.Millisecond}, 500 * time.Millisecond, 500 * time.Millisecond},
		"near, and work":            {[]time.Duration{900 * time.Millisecond}, 890 * time.Millisecond, coldStep},
		"more work than time":       {[]time.Duration{200 * time.Millisecond}, time.Second, 250 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			for _, took := range tt.answers {
				w := pass(t, l, 0, &Waiter{})
				l.Answered(at(took), w, Headers{Worked: tt.worked})
				l.last = origin
			}
			l.ramp.Start(coldQuota)
			if l.ramp.Step != tt.step {
				t.Errorf("a step lasts %v, want %v", l.ramp.Step, tt.step)
			}
		})
	}
}

// TestABusyMachineIsNoFarUpstream: what a request waits for a processor is not the way.
func TestABusyMachineIsNoFarUpstream(t *testing.T) {
	tests := map[string]struct {
		dial, connect, step time.Duration
	}{
		"busy, near":           {800 * time.Millisecond, time.Millisecond, coldStep},
		"busy, far":            {800 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond},
		"far":                  {200 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond},
		"far, through a proxy": {200 * time.Millisecond, 0, 300 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(learning, origin)
			w := &Waiter{Connect: tt.connect}
			l.Enter(origin, w)
			l.Sent(at(tt.dial), w)
			if l.ramp.Step != tt.step {
				t.Errorf("a step lasts %v, want %v", l.ramp.Step, tt.step)
			}
		})
	}
}
