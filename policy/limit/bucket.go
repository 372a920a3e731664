package limit

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// milli is how many units of account one request, token or image is: rate.Limiter
// counts in integers, and hints name fractions.
const milli = 1000

// pace is the share of a limit that is used. At exactly the learned rate the jitter
// of the network alone causes refusals, and with an even burst of the other 2 % no
// stretch of a second or more ever holds more than the limit.
const pace = 0.98

// even is the time whose share of the limit may go at once when the rest is spread
// evenly. It is also how late a timer may fire without loss.
const even = 20 * time.Millisecond

// bucket is the account of one slot and what is known about it. Its level may be
// negative: debt. Costs and levels are in thousandths. The zero value limits nothing.
type bucket struct {
	acct   rate.Limiter
	active bool

	limit  float64 // units per window, 0 while only a rate is known
	window time.Duration
	source Source
	hard   bool // limit is configured or told by each answer: never go faster

	estimate estimate
	tuned    time.Duration // when speed was last set
	pressed  bool          // whether it has held anyone up since
	speed    float64       // units per second in use now

	wide    bool      // the whole limit may go at once, as far as the ramp lets it
	ahead   int64     // what may go at once after idleness, if not wide: it is charged as debt
	reserve int64     // what has gathered of ahead
	fullAt  time.Time // when the account is full, from where on reserve gathers
	size    int64     // least size, where a refusal showed that a request needs it all
	burst   int64     // what the account holds

	factor float64 // real cost per estimated cost
	cap    remainder
}

// open starts an account at level.
func (b *bucket) open(now time.Time, level float64) {
	b.acct = rate.Limiter{}
	b.acct.SetLimitAt(now, rate.Limit(b.speed*milli))
	b.active = true
	b.resize(now)
	b.acct.AllowN(now, -int(b.burst))
	b.lower(now, level)
}

// known is the limit in units per second, 0 if there is only an estimate.
func (b *bucket) known() float64 {
	if b.window <= 0 {
		return 0
	}
	return b.limit / b.window.Seconds()
}

// tune brings the speed to what is believed at t.
func (b *bucket) tune(now time.Time, t time.Duration) {
	if !b.pressed {
		b.estimate.from += t - b.tuned
	}
	b.pressed = false
	b.estimate.grow(t)
	speed := b.estimate.speed(t)
	if b.hard {
		speed = min(speed, pace*b.known())
	}
	if speed != b.speed {
		b.speed = speed
		b.acct.SetLimitAt(now, rate.Limit(speed*milli))
		b.resize(now)
	}
	b.tuned = t
}

// resize sets how much the account holds.
func (b *bucket) resize(now time.Time) {
	n := max(milli, int64(b.estimate.rate*even.Seconds()*milli), b.size)
	if b.wide && b.limit > 0 {
		n = max(n, int64(b.limit*milli))
	}
	b.burst = min(n, maxUnits*milli)
	b.acct.SetBurstAt(now, int(b.burst))
}

// level returns what is left, in thousandths.
func (b *bucket) level(now time.Time) float64 { return b.acct.TokensAt(now) }

// need is the level at which a cost may go: its own, or a full account.
func (b *bucket) need(cost int64) float64 { return float64(min(cost, b.burst)) }

// wait returns how long until cost may go, 0 for now.
func (b *bucket) wait(now time.Time, cost int64) time.Duration {
	if cost <= 0 {
		return 0
	}
	if d := b.cap.wait(now, cost); d > 0 {
		return max(d, b.until(now, b.need(cost)))
	}
	if cost <= b.gathered(now) {
		return 0
	}
	d := b.until(now, b.need(cost))
	if d > 0 {
		b.pressed = true
	}
	return d
}

// gathered returns the reserve at now.
func (b *bucket) gathered(now time.Time) int64 {
	idle := now.Sub(b.fullAt).Seconds()
	if b.wide || idle <= 0 {
		return b.reserve
	}
	return int64(min(float64(b.ahead-b.burst), float64(b.reserve)+idle*b.speed*milli))
}

// until returns how long until the level reaches want, however little it holds.
func (b *bucket) until(now time.Time, want float64) time.Duration {
	missing := want - b.level(now)
	// A millionth of a unit is rounding, not debt.
	if missing <= milli/1e6 {
		return 0
	}
	return seconds(missing / (b.speed * milli))
}

// take charges cost in full; what the account does not hold is debt.
func (b *bucket) take(now time.Time, cost int64) {
	level := b.level(now)
	b.reserve = max(0, b.gathered(now))
	if level < b.need(cost)-milli/1e6 {
		b.reserve = max(0, b.reserve-cost)
	}
	if !b.acct.AllowN(now, int(cost)) {
		b.lower(now, level-float64(cost))
	}
	b.fullAt = now.Add(b.until(now, float64(b.burst)))
	b.cap.left -= cost
}

// give returns what was charged.
func (b *bucket) give(now time.Time, n int64) {
	b.acct.AllowN(now, -int(n))
	b.cap.left += n
}

// lower takes the level down to at most level. rate.Limiter has no such call, but
// cuts the level to the burst when time passes: so pass a burst through.
func (b *bucket) lower(now time.Time, level float64) {
	floor := -maxUnits * float64(milli)
	b.acct.SetBurstAt(now, int(math.Floor(max(level, floor))))
	b.acct.SetBurstAt(now, int(b.burst))
	b.fullAt = now.Add(b.until(now, float64(b.burst)))
}

// remainder is what a header says is left until its reset, where it is not known
// how the limit refills. The zero value says nothing.
type remainder struct {
	left  int64
	until time.Time
}

// wait returns how long cost is held back, 0 if it is not.
func (r *remainder) wait(now time.Time, cost int64) time.Duration {
	if cost <= r.left {
		return 0
	}
	return max(0, r.until.Sub(now))
}

// seconds turns s into a Duration, rounded up, at most the longest there is.
func seconds(s float64) time.Duration {
	d := math.Ceil(s * float64(time.Second))
	if !(d < math.MaxInt64) {
		return math.MaxInt64
	}
	return time.Duration(max(d, 0))
}
