package limit

import (
	"time"

	"outrigger/policy/limit/headers"
)

// Headers are the rate-limit headers of one answer, and Reading is what they tell about one
// limit. See package headers.
type (
	Headers = headers.Headers
	Reading = headers.Reading
)

// ParseHeaders reads the rate-limit headers of an answer that came at now. Keys are canonical.
// Values that make no sense are counted and otherwise not there.
func ParseHeaders(h map[string][]string, now time.Time) Headers { return headers.Parse(h, now) }

// maxReset is the longest reset that is believed.
const maxReset = headers.MaxReset
