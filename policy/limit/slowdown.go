package limit

import "time"

const (
	presentTime = 10 * time.Second
	spikeTime   = 15 * time.Minute
)
