package limit

import "time"

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
	slots
)

// longWindow is from where on a window has its own bucket beside the minute's.
const longWindow = time.Hour

// maxUnits is the largest cost or limit that is believed: far over any provider's,
// and small enough that thousandths of it are exact in float64 and int64.
const maxUnits = 1_000_000_000_000

// String is the dimension's name in snapshots and metrics.
func (s slot) String() string {
	return [...]string{
		"requests", "tokens", "requests_long", "tokens_long",
		"input_tokens", "output_tokens", "project_tokens", "images",
	}[s]
}

// long returns the slot for the same thing over an hour or more.
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
