package settings

import (
	"time"

	"outrigger/policy"
)

// Defaults of OUTRIGGER_TIMEOUT and OUTRIGGER_STREAM_IDLE_TIMEOUT. The tags of Timeouts have
// them too, and a test holds both to each other.
const (
	defaultTotal      = 10 * time.Minute
	defaultStreamIdle = 5 * time.Minute
)

// Operators returns OUTRIGGER_TIMEOUT and OUTRIGGER_STREAM_IDLE_TIMEOUT, and whether they
// give way to what callers announce.
func (t Timeouts) Operators() (total, idle policy.Operator) { //nolint:nonamedreturns // the names tell them apart
	return policy.Operator{Timeout: t.Total, Default: !t.TotalSet && t.Total == defaultTotal},
		policy.Operator{Timeout: t.StreamIdle, Default: !t.StreamIdleSet && t.StreamIdle == defaultStreamIdle}
}
