package policy

import (
	"math"
	"strings"
	"time"
)

// spreadMax is the longest time over which few attempts are spread: the outage that a
// caller survives by default.
const spreadMax = 30 * time.Second

// spreadFirst is the share of that time after which the first retry comes: 2 s of
// 30 s. It is what the AI SDK itself waits before its first one.
const spreadFirst = 1.0 / 15

// selfRetrier is a client that retries whatever x-should-retry says.
type selfRetrier struct {
	mark  string // in its User-Agent
	tries int    // that a call of it may cost, so that its own default tries cost no more
}

// selfRetriers, by what they send. Checked against ai 6 and 7, @langchain/openai 1.6
// and langchain4j 1.19, whose defaults are 3, 7 and 3 tries. LangChain.js goes on for
// over 30 s after the last of 4, and up to 3 of its tries are attempted then.
var selfRetriers = [...]selfRetrier{
	{"ai-sdk", 3},
	{"langchainjs", 4},
	{"langchain4j", 3},
}

// SelfRetries returns how many attempts a call may cost whose client retries by itself
// whatever it is told, or 0 for all other clients.
func SelfRetries(userAgent string) int {
	if userAgent == "" {
		return 0
	}
	userAgent = strings.ToLower(userAgent)
	for _, c := range selfRetriers {
		if strings.Contains(userAgent, c.mark) {
			return c.tries
		}
	}
	return 0
}

// DecideFew is Decide with few attempts instead of Max retries, spread over the time
// that those would take, at most 30 s. A hint lengthens a wait; a near deadline
// shortens it.
func (r Retry) DecideFew(t Try, few int) Decision {
	span := r.span()
	r.Max = min(r.Max, max(few, 1)-1)
	d := r.Decide(t)
	if d.Action != Again {
		return d
	}
	wait := spreadAt(span, t.Retries+1, r.Max) - spreadAt(span, t.Retries, r.Max)
	if left := remaining(t) - max(t.Took, 0); wait >= left {
		wait = left / 2
	}
	d.Delay = max(hintOf(t.Verdict, t.Now), wait)
	return d
}

// span is how long all retries take, without jitter; at most spreadMax.
func (r Retry) span() time.Duration {
	span := time.Duration(0)
	for i := 0; i < r.Max && span < spreadMax; i++ {
		span += r.backoff(i)
	}
	return min(span, spreadMax)
}

// spreadAt is when the n-th of last retries comes: the first after spreadFirst of the
// span, the last at its end, those between in geometric steps.
func spreadAt(span time.Duration, n, last int) time.Duration {
	switch {
	case n <= 0:
		return 0
	case n >= last:
		return span
	}
	return time.Duration(float64(span) * math.Pow(spreadFirst, float64(last-n)/float64(last-1)))
}
