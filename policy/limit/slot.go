package limit

import (
	"time"

	"outrigger/policy/limit/headers"
)

// slot names one bucket of a limiter: what is counted, and whether over a long time.
// An upstream may limit requests by the minute and by the day at once.
type slot uint8

const (
	slotRequests slot = iota
	slotTokens
	slotRequestsLong
	slotTokensLong
	slotInput
	slotOutput
	slotProject
	slotImages
	slotSpike // requests again, while Slow Down holds the rate
	slots
)

// longWindow is from where on a window has its own bucket beside the minute's.
const longWindow = time.Hour

// maxUnits is the largest cost or limit that is believed: far over any provider's,
// and small enough that thousandths of it are exact in float64 and int64.
const maxUnits = headers.MaxCount

// String is the dimension's name in snapshots and metrics.
func (s slot) String() string {
	return [...]string{
		"requests", "tokens", "requests_long", "tokens_long",
		"input_tokens", "output_tokens", "project_tokens", "images", "slow_down",
	}[s]
}

// slotOf returns the short slot of a dimension as headers and texts name it, and
// whether there is one.
func slotOf(dimension string) (slot, bool) {
	switch dimension {
	case "requests":
		return slotRequests, true
	case "tokens":
		return slotTokens, true
	case "input_tokens":
		return slotInput, true
	case "output_tokens":
		return slotOutput, true
	case "project_tokens":
		return slotProject, true
	case "images":
		return slotImages, true
	default:
		return 0, false
	}
}

// long returns the slot for the same thing over an hour or more; where there is
// none, the slot itself serves any window.
func (s slot) long() slot {
	switch s {
	case slotRequests:
		return slotRequestsLong
	case slotTokens:
		return slotTokensLong
	default:
		return s
	}
}

// counts reports what a slot counts.
func (s slot) counts() unit {
	switch s {
	case slotRequests, slotRequestsLong, slotSpike:
		return unitRequest
	case slotImages:
		return unitImage
	default:
		return unitToken
	}
}

// unit is what a cost is counted in.
type unit uint8

const (
	unitRequest unit = iota
	unitToken
	unitImage
	unitUnbounded // requests that set no bound to their output
	units
)
