package policy

import "time"

// BreakerConfig says when an upstream is left alone, and for how long. It is the
// configuration as well. The zero value never opens.
type BreakerConfig struct {
	// Ratio of failed attempts in the window that opens the breaker, once there are Min of
	// them, unless it is alone (NewBreaker).
	Ratio float64 `env:"BREAKER_RATIO" envDefault:"0.5" min:"0" max:"1" off:"true" doc:"share of failed attempts that opens the breaker where another upstream could answer instead; 0 switches this rule off"`
	// Min is the least number of finished attempts in the window for Ratio to mean anything.
	Min int `env:"BREAKER_MIN" envDefault:"20" min:"1" max:"1000000" doc:"least attempts in the window before their share counts"`
	// Window is what the share is taken over. It rolls in tenths.
	Window time.Duration `env:"BREAKER_WINDOW" envDefault:"10s" min:"100ms" max:"1h" doc:"rolling window for the share of failed attempts"`
	// Open is how long nothing is sent before the first probe, and how long a probe
	// may be silent before the next one.
	Open time.Duration `env:"BREAKER_OPEN" envDefault:"1s" min:"10ms" max:"1h" doc:"time open before a probe, and from a silent probe to the next"`
	// Consecutive is the number of failures in a row, over any time, that opens the breaker
	// too; five times as many where it is alone (NewBreaker).
	Consecutive int `env:"BREAKER_CONSECUTIVE" envDefault:"10" min:"0" max:"1000000" off:"true" doc:"failures in a row that open it too, five times as many where no other upstream could answer; 0 switches this rule off"`
	// Wait is how long a request waits while its upstream is down. Breaker does not look at
	// it; whoever makes requests wait does.
	Wait time.Duration `env:"BREAKER_WAIT" envDefault:"30s" min:"0s" max:"1h" off:"true" doc:"how long a request waits while its upstream is down: at an open breaker, or for retry budget"`
}

// aloneFactor is how many times more failures in a row open a breaker that is alone. An
// upstream that fails nine calls of ten, each by chance, opens one at 10 in a row within
// seconds, and at 50 once in some 2,000 attempts; one that is down has failed 50 soon.
const aloneFactor = 5

// breakerBuckets is how many steps the window rolls in: gobreaker allocates one
// Counts for each.
const breakerBuckets = 10

// inRange returns c with what its tags do not permit replaced: gobreaker makes an
// open time of 0 a minute, and a window of 0 endless.
func (c BreakerConfig) inRange() BreakerConfig {
	if !(c.Ratio > 0) {
		c.Ratio = 0
	}
	c.Ratio = min(c.Ratio, 1)
	c.Min = max(c.Min, 1)
	c.Window = min(max(c.Window, 100*time.Millisecond), time.Hour)
	c.Open = min(max(c.Open, 10*time.Millisecond), time.Hour)
	c.Consecutive = max(c.Consecutive, 0)
	return c
}
