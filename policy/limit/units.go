package limit

import (
	"math"
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

// amounts count what requests ask for, in each unit.
type amounts [units]int64

func (a amounts) minus(b amounts) amounts {
	for u := range units {
		a[u] -= b[u]
	}
	return a
}

func (a amounts) plus(b amounts) amounts {
	for u := range units {
		a[u] += b[u]
	}
	return a
}

// output tells requests apart that bound their output and those that do not.
type output uint8

const (
	outputBounded output = iota
	outputUnbounded
	outputs
)

// of counts the requests of one kind.
func (a amounts) of(o output) float64 {
	if o == outputUnbounded {
		return float64(a[unitUnbounded])
	}
	return float64(a[unitRequest] - a[unitUnbounded])
}

// output is the kind of one request, or of several that which is unbounded if any is.
func (a amounts) output() output {
	if a[unitUnbounded] > 0 {
		return outputUnbounded
	}
	return outputBounded
}

// amounts are what w asks for.
func (w *Waiter) amounts() amounts {
	var a amounts
	for u := range units {
		a[u] = w.cost(u)
	}
	return a
}

// tariff is what a slot charges for tokens. The zero value charges the estimate.
type tariff struct {
	ratio float64          // real cost per estimated cost, 0 while not measured
	fixed [outputs]float64 // what each request is charged beside that
}

// factor is the real cost per estimated cost.
func (p *tariff) factor() float64 {
	if p.ratio == 0 {
		return 1
	}
	return p.ratio
}

// constants reports whether requests are charged more than their estimate explains.
func (p *tariff) constants() bool { return p.fixed != [outputs]float64{} }

// constant is what of the charge for a does not depend on the estimate.
func (p *tariff) constant(a amounts) float64 {
	return p.fixed[outputBounded]*a.of(outputBounded) + p.fixed[outputUnbounded]*a.of(outputUnbounded)
}

// charge is what a slot of unit u charges for a, in units.
func (p *tariff) charge(u unit, a amounts) float64 {
	if u != unitToken {
		return float64(a[u])
	}
	return float64(a[unitToken])*p.factor() + p.constant(a)
}

// seconds turns s into a Duration, rounded up, at most the longest there is.
func seconds(s float64) time.Duration {
	d := math.Ceil(s * float64(time.Second))
	if !(d < math.MaxInt64) {
		return math.MaxInt64
	}
	return time.Duration(max(d, 0))
}
