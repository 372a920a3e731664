package limit

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"outrigger/policy/limit/counts"
)

// milli is how many units of account one request, token or image is: rate.Limiter
// counts in integers, and hints name fractions.
const milli = 1000

// rounding is the part of a unit of account that is taken for nothing.
const rounding = milli / 1e6

// pace is the share of a limit that is used. At exactly the learned rate the jitter
// of the network alone causes refusals.
const pace = 0.98

// even is the time whose share may go at once beside one unit when all is spread
// evenly: how late a timer may fire without loss. Together with pace it keeps every
// second under one unit more than its share, and so at that in whole units.
const even = 20 * time.Millisecond

// headersHold is how long the limit that a header told is not exceeded after it.
// An upstream that tells limits tells them with every answer.
const headersHold = time.Minute

// bucket is the account of one slot and what is known about it. Its level may be
// negative: debt. Costs and levels are in thousandths, times are offsets from the
// limiter's start. The zero value limits nothing.
type bucket struct {
	acct   rate.Limiter
	active bool

	ceiling  float64 // units per second that are configured, 0 if none are
	limit    float64 // units per window, 0 while only a rate is known
	window   time.Duration
	source   Source
	sure     bool          // source proves the limit: it is configured, or its arithmetic fits
	toldAt   time.Duration // when a header last told the limit
	estimate estimate

	speed   float64       // units per second in use
	tuned   time.Duration // when speed was set
	pressed bool          // whether anyone was held up since

	wide    bool          // the whole limit may go at once, as far as the ramp lets it
	ahead   int64         // what may go at once after idleness, if not wide: it is charged as debt
	reserve int64         // what has gathered of ahead
	second  counts.Second // what went in the last second
	counted bool          // refusals are charged
	windows fixedWindow   // whether it is given out by the second
	fullAt  time.Time     // when the account is full, from where on reserve gathers
	whole   time.Time     // when all comes back at once; zero is never
	dry     time.Time     // the account is empty until then, whatever the speed; zero is not
	size    int64         // least that the account holds, since something needed it all
	burst   int64         // what the account holds
	parts   float64       // it is one of so many equal parts of the limit, 0 is all of it; see Apart

	spare   time.Duration // until then there is more than is used, as answers tell
	noSpare time.Duration // what they tell of that is not believed before
	reading reading
	left    remainder
	tariff
	fall    fall
	unclear bool // more was used than what was sent explains, and it is not known by whom
}

// known is the limit in units per second, 0 if there is only an estimate.
func (b *bucket) known() float64 {
	if b.window <= 0 {
		return 0
	}
	return b.limit / b.window.Seconds()
}

// open puts the account to use, with a level.
func (b *bucket) open(now time.Time, t time.Duration, level float64) {
	b.active, b.pressed = true, true
	b.speed, b.tuned, b.burst = 0, t, 0
	b.tune(now, t)
	b.set(now, min(level, float64(b.burst)))
	b.reserve = max(0, b.ahead-milli)
}

// tune brings the speed to what is believed at t. Estimates grow only for the time
// in which they held somebody up.
func (b *bucket) tune(now time.Time, t time.Duration) {
	if !b.pressed {
		b.estimate.from += t - b.tuned
	}
	b.pressed, b.tuned = false, t
	speed := b.estimate.speed(t)
	if known := b.estimate.crowd; known > 0 && speed >= known {
		b.estimate.reset(known, t) // the others are gone
		speed = pace * known
	}
	if b.estimate.outgrown(t) && b.ceiling == 0 && b.source != SourceHeader {
		// What was told holds no more, or nothing does: go on from here.
		b.limit, b.window, b.source, b.sure = 0, 0, SourceRefusals, false
		b.estimate.reset(min(speed, maxUnits), t)
	}
	if b.source == SourceHeader && t-b.toldAt < headersHold {
		speed = min(speed, pace*b.known())
	}
	speed = b.spared(t, speed)
	if b.ceiling > 0 {
		speed = min(speed, pace*b.ceiling)
	}
	if b.parts > 0 {
		speed /= b.parts
	}
	if speed == b.speed {
		return
	}
	b.speed = speed
	b.acct.SetLimitAt(now, rate.Limit(speed*milli))
	b.resize(now)
}

// resize sets how much the account holds.
func (b *bucket) resize(now time.Time) {
	n := max(milli+int64(b.estimate.rate*even.Seconds()*milli)-1, b.size)
	if b.wide && (b.parts == 0 || b.window >= longWindow) { // parts of a burst may meet
		n = max(n, int64(b.limit*milli))
	}
	if b.parts > 0 {
		n = max(milli, b.size, int64(float64(n)/b.parts))
	}
	b.burst = min(n, maxUnits*milli)
	b.acct.SetBurstAt(now, int(b.burst))
}

// level returns what is left, in thousandths.
func (b *bucket) level(now time.Time) float64 { return b.acct.TokensAt(now) }

// need is the level at which a cost may go: its own, or a full account.
func (b *bucket) need(cost int64) float64 { return float64(min(cost, b.burst)) }

// wait returns how long until cost may go, 0 for now.
func (b *bucket) wait(now time.Time, t time.Duration, cost int64) time.Duration {
	if cost <= 0 {
		return 0
	}
	if b.windows.on {
		d := max(b.left.wait(now, cost), b.windows.wait(t, cost, b.share()))
		b.pressed = b.pressed || d > 0
		return d
	}
	if b.dry.After(now) {
		b.pressed = true
		return b.until(now, b.need(cost))
	}
	b.fill(now)
	held := b.left.wait(now, cost)
	if held == 0 && b.reserved(now, t, cost) {
		return 0
	}
	d := max(held, b.again(now, cost))
	b.pressed = b.pressed || d > 0
	return d
}

// until returns how long until the level reaches want, however little it holds.
func (b *bucket) until(now time.Time, want float64) time.Duration {
	if dry := b.dry.Sub(now); dry > 0 {
		return dry + seconds(want/(b.speed*milli))
	}
	missing := want - b.level(now)
	if missing <= rounding {
		return 0
	}
	return seconds(missing / (b.speed * milli))
}

// empty makes the account empty until t. What comes in afterwards counts from there.
func (b *bucket) empty(now, t time.Time) {
	b.lower(now, 0)
	b.reserve = 0
	if t.After(now) && t.After(b.dry) {
		b.dry = t
	}
}

// fill ends being empty, once that is over.
func (b *bucket) fill(now time.Time) {
	if b.dry.IsZero() || now.Before(b.dry) {
		return
	}
	b.lower(now, min(0, b.level(now))+now.Sub(b.dry).Seconds()*b.speed*milli)
	b.reserve, b.dry = 0, time.Time{}
}

// take charges cost in full; what the account does not hold is debt.
func (b *bucket) take(now time.Time, t time.Duration, cost int64) {
	if cost <= 0 {
		return
	}
	b.second.Add(t, cost)
	b.left.take(now, cost)
	if b.windows.on {
		return
	}
	b.fill(now)
	level := b.level(now)
	b.reserve = b.gathered(now)
	switch {
	case level < b.need(cost)-rounding:
		b.reserve = max(0, b.reserve-cost)
	case float64(cost) > level:
		b.reserve = max(0, b.reserve+int64(level)-cost)
	}
	if !b.acct.AllowN(now, int(cost)) {
		b.lower(now, level-float64(cost))
	}
	b.fullAt = now.Add(b.until(now, float64(b.burst)))
}

// give returns what was charged.
func (b *bucket) give(now time.Time, n int64) {
	if n <= 0 {
		return
	}
	b.set(now, min(b.level(now)+float64(n), float64(b.burst)))
	b.left.left += n
}

// set sets the level, as a new account: the old one cannot be paid back while it is
// in debt.
func (b *bucket) set(now time.Time, level float64) {
	b.acct = rate.Limiter{}
	b.acct.SetLimitAt(now, rate.Limit(b.speed*milli))
	b.acct.SetBurstAt(now, int(b.burst))
	b.acct.AllowN(now, -int(max(level, 0)))
	b.lower(now, level)
}

// lower takes the level down to at most level. rate.Limiter has no such call, but
// cuts the level to the burst when time passes: so pass a burst through.
func (b *bucket) lower(now time.Time, level float64) {
	const floor = -maxUnits * milli
	b.acct.SetBurstAt(now, int(math.Floor(max(level, floor))))
	b.acct.SetBurstAt(now, int(b.burst))
	b.fullAt = now.Add(b.until(now, float64(b.burst)))
}
