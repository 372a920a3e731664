package policy

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Headers with which SDKs announce their own timeout, in seconds.
//
// What they mean differs. The first is the longest silence that the client's socket
// bears: httpx's read timeout in openai-python and anthropic-sdk-python
// (_base_client.py, _build_headers), OkHttp's in openai-java and anthropic-java
// (OkHttpClient.kt). It begins when the client has sent its body, and begins anew with
// each byte that comes. The second is the time for a whole try, body included:
// AbortController's timer in openai-node and @anthropic-ai/sdk (client.ts,
// fetchWithTimeout; until the headers), a context's in openai-go and anthropic-sdk-go
// (requestconfig.go), OkHttp's callTimeout in the Java SDKs (which send both).
const (
	readTimeoutHeader = "X-Stainless-Read-Timeout"
	timeoutHeader     = "X-Stainless-Timeout"
)

// Announced timeouts outside these bounds are mistakes and are not believed.
const (
	announcedMin = time.Millisecond
	announcedMax = 24 * time.Hour
)

// Operator is one of the operator's own timeouts.
type Operator struct {
	// Timeout is how long it is; 0 or less is no bound.
	Timeout time.Duration
	// Default says that nobody asked for it: it gives way to what the caller announces.
	Default bool
}

// Patience is how long a caller waits for its answer. The zero value is for ever.
type Patience struct {
	// Total bounds the time from the request's start; 0 is no bound.
	Total time.Duration
	// Silence bounds the time in which nothing of the request's body moves, from the
	// caller's last byte on; 0 is no bound.
	Silence time.Duration
	// Idle is the longest silence inside an answer that the caller announced to bear;
	// 0 if it announced nothing.
	Idle time.Duration

	announcedTotal, announcedSilence bool
}

// PatienceOf reads how long a caller waits: what its SDK announces in the header h, and
// what its User-Agent is known to allow, bounded by the operator's total. A default total
// holds only for callers that announce nothing, and, like their own silence, not
// while their bodies move: it is a guess at what they bear. One that was set is a bound from
// the request's start.
//
// From each bound a margin is taken off (see margin), so that the caller hears the real
// error and not its own timeout. Some clients cut their timeout down to whole seconds
// before they announce it (see truncates): theirs is read as the longest that it can be.
// Header names are canonical; malformed, negative and absurd values are ignored.
//
// With early true an announced number is what it says and a whole tenth of it is kept back, up
// to a second: for a caller that loses nothing by an answer that comes before it must, and
// has to do something within the time that is left. Safe for concurrent use.
func PatienceOf(total Operator, h map[string][]string, early bool) Patience {
	var p Patience
	read := announced(h[readTimeoutHeader], truncates(h), early)
	called := announced(h[timeoutHeader], truncates(h), early)
	p.Idle = max(read, called)
	fetch, network := knownTimeouts(h)
	switch {
	case total.Timeout <= 0:
	case !total.Default:
		network = shorter(network, due(total.Timeout))
	case p.Idle == 0:
		fetch = shorter(fetch, due(total.Timeout))
	}
	p.Silence, p.announcedSilence = shortest(read, fetch)
	p.Total, p.announcedTotal = shortest(called, network)
	return p
}

// Deadline returns when the caller must have its answer, for a request that came at
// start, the last byte of whose body came at last, and went on to upstreams for as long
// as moving says. Announced is whether it is the caller's own announcement that sets it; a
// tie counts as that. Without any bound the deadline is the zero time.
func (p Patience) Deadline(start, last time.Time, moving time.Duration) (deadline time.Time, announced bool) { //nolint:nonamedreturns // the names tell them apart
	if p.Total > 0 {
		deadline, announced = start.Add(p.Total), p.announcedTotal
	}
	if p.Silence <= 0 {
		return deadline, announced
	}
	silent := last.Add(p.Silence + moving)
	switch {
	case deadline.IsZero() || silent.Before(deadline):
		return silent, p.announcedSilence
	case silent.Equal(deadline):
		return deadline, announced || p.announcedSilence
	}
	return deadline, announced
}

// StreamIdle returns how long an answer may be silent: as long as the operator says, but
// a default does not cut an answer off that the caller would wait for. 0 is no bound.
func (p Patience) StreamIdle(o Operator) time.Duration {
	if o.Timeout <= 0 || !o.Default {
		return max(o.Timeout, 0)
	}
	return max(o.Timeout, p.Idle)
}

// announced returns the smallest usable timeout among values, less its margin; 0 is none.
func announced(values []string, truncated, early bool) time.Duration {
	least := time.Duration(0)
	for _, value := range values {
		d, ok := seconds(value, truncated && !early)
		switch {
		case !ok:
		case early:
			least = shorter(least, d-min(d/earlyShare, marginMax))
		default:
			least = shorter(least, due(d))
		}
	}
	return least
}

// wholeSeconds is the timeout from which on the fraction that a client may have cut off is
// taken for nothing: it is less than a tenth by then, which is kept back anyway, and hardly
// anybody has it. A client whose timeout is the whole number, as the 600 s of most, would
// else time out itself before it is told, and repeat a create.
const wholeSeconds = 10

// seconds reads a whole or broken number of seconds; with round, a whole one as the
// longest that it may have been cut down from.
func seconds(value string, round bool) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err == nil && round && 0 <= f && f < wholeSeconds && f == math.Trunc(f) && !math.Signbit(f) {
		f++
	}
	if err != nil || math.IsNaN(f) || f < announcedMin.Seconds() || f > announcedMax.Seconds() {
		return 0, false
	}
	return time.Duration(f * float64(time.Second)), true
}

// The margin is a twentieth up to 5 s, grows to a tenth at 10 s, and stays at that second.
// What it is for takes a millisecond: the error's way to a caller on the same machine
// or pod. A twentieth of a second is room for a busy one; more would cut off answers that a
// client with a short timeout waits for. With a longer timeout a second is less of a loss,
// and clients are met whose clock began before their request reached Outrigger.
const (
	marginShare = 20
	marginGrows = 5 * time.Second
	marginEnds  = 10 * time.Second
	marginMax   = time.Second
	earlyShare  = 10
)

// due returns when within a timeout of d the answer has to be there: d less its margin.
func due(d time.Duration) time.Duration {
	switch {
	case d <= marginGrows:
		return d - d/marginShare
	case d < marginEnds: // it meets both ends: 5·5/100 = 5/20, 10·10/100 = 1
		return d - time.Duration(d.Seconds()*d.Seconds()/100*float64(time.Second))
	}
	return d - marginMax
}

// shorter returns the shorter of two timeouts, of which 0 is none.
func shorter(a, b time.Duration) time.Duration {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

// shortest returns the shorter of an announced timeout and another, and whether it is the
// announced one.
func shortest(announced, other time.Duration) (time.Duration, bool) {
	return shorter(announced, other), announced > 0 && (other <= 0 || announced <= other)
}

// Ahead is what is known of a request when an attempt is about to begin.
type Ahead struct {
	// Retries is how many retries were counted before at this upstream.
	Retries int
	// Left is the time to the deadline; 0 is without end.
	Left time.Duration
	// Replayable is whether the request can be sent again whole.
	Replayable bool
	// Create is whether the request creates something.
	Create bool
	// Elsewhere is whether another upstream would be tried after a timeout here.
	Elsewhere bool
}

// AttemptTimeout returns how long the attempt ahead may be silent, 0 for as long as the
// request may take: timeout, unless the attempt is the last possible one. To cut that one
// off gains nothing, and may lose an answer that is only late. It is the last one if
//   - the request cannot be sent again,
//   - it is a create, of which nobody knows after a timeout whether it was carried out (Creates
//     says if it is repeated all the same; another upstream is not asked in any case),
//   - no other upstream would be tried, and all retries were made, or what the deadline leaves
//     after the timeout is less than such an attempt may take,
//   - another upstream would be tried, but hardly a moment is left for it.
//
// Whether the retry budget would have paid for another attempt is not known before.
func (r Retry) AttemptTimeout(timeout time.Duration, a Ahead) time.Duration {
	left := forever
	if a.Left != 0 {
		left = a.Left - timeout
	}
	switch {
	case timeout <= 0, !a.Replayable, a.Create && r.Creates != CreatesAlways:
		return 0
	case a.Elsewhere && !a.Create:
		if left <= failoverLeft {
			return 0
		}
	case a.Retries >= r.Max, left < timeout:
		return 0
	}
	return timeout
}
