package limit

import (
	"fmt"
	"math"
	"time"
)

// enforcement is how a simulated upstream gives out its limit.
type enforcement string

const (
	refill   enforcement = "refill"   // a bucket that fills continuously
	quanta   enforcement = "quanta"   // equal shares per second, unused ones expire
	tens     enforcement = "tens"     // the same per ten seconds
	window   enforcement = "window"   // all of it at the start of each minute of the clock
	midnight enforcement = "midnight" // all of it at 00:00 UTC
)

// meter is one limit of a simulated upstream.
type meter struct {
	unit    string // requests, tokens, images
	limit   float64
	window  time.Duration
	enforce enforcement
	size    float64 // most at once
	level   float64
	at      time.Time
	shown   float64 // level of the minute that headers show, where enforcement is shorter
	shownAt time.Time
}

func newMeter(now time.Time, unit string, limit float64, per time.Duration, e enforcement, size float64) *meter {
	m := &meter{unit: unit, enforce: e, at: now}
	m.set(limit, per, size)
	m.level = m.size
	m.shown, m.shownAt = limit, now
	switch e {
	case quanta, tens:
		m.at = now.Truncate(m.step())
	case window:
		m.at = now.Truncate(per)
	case midnight:
		m.at = now.Truncate(24 * time.Hour)
	}
	return m
}

func (m *meter) set(limit float64, per time.Duration, size float64) {
	m.limit, m.window, m.size = limit, per, limit
	switch m.enforce {
	case refill:
		if size > 0 {
			m.size = size
		}
	case quanta, tens:
		m.size = math.Floor(limit / per.Seconds() * m.step().Seconds())
	}
	m.level = min(m.level, m.size)
}

// step is how long a share lasts, 0 if there are none.
func (m *meter) step() time.Duration {
	return map[enforcement]time.Duration{quanta: time.Second, tens: 10 * time.Second, window: m.window, midnight: 24 * time.Hour}[m.enforce]
}

func (m *meter) rate() float64 { return m.limit / m.window.Seconds() }

func (m *meter) advance(now time.Time) {
	if now.After(m.shownAt) {
		m.shown = min(m.limit, m.shown+m.rate()*now.Sub(m.shownAt).Seconds())
		m.shownAt = now
	}
	step := m.step()
	if step == 0 {
		if now.After(m.at) {
			m.level = min(m.size, m.level+m.rate()*now.Sub(m.at).Seconds())
			m.at = now
		}
		return
	}
	for !now.Before(m.at.Add(step)) {
		m.at = m.at.Add(step)
		m.level = min(m.size, m.level+m.size)
	}
}

func (m *meter) cost(w *Waiter) float64 {
	switch m.unit {
	case "tokens":
		return float64(w.Tokens)
	case "images":
		return float64(w.Images)
	}
	return 1
}

// wait is the time until cost fits if nobody else takes anything.
func (m *meter) wait(now time.Time, cost float64) time.Duration {
	missing := min(cost, m.size) - m.level
	switch m.enforce {
	case quanta, tens:
		return m.at.Add(time.Duration(math.Ceil(missing/m.size)) * m.step()).Sub(now)
	case window:
		return m.at.Add(m.window).Sub(now)
	case midnight:
		return m.at.Add(24 * time.Hour).Sub(now)
	}
	return seconds(missing / m.rate())
}

// apart reports whether headers show the whole minute while less of it is held.
func (m *meter) apart() bool {
	return m.enforce == quanta || m.enforce == tens || m.enforce == refill && m.size < m.limit
}

// remaining and reset are what headers show.
func (m *meter) remaining() float64 {
	if m.apart() {
		return math.Floor(max(0, m.shown))
	}
	return math.Floor(max(0, m.level))
}

func (m *meter) reset(now time.Time) time.Duration {
	switch {
	case m.enforce == window:
		return m.at.Add(m.window).Sub(now)
	case m.enforce == midnight:
		return m.at.Add(24 * time.Hour).Sub(now)
	case m.apart():
		return seconds((m.limit - m.shown) / m.rate())
	}
	return seconds((m.size - m.level) / m.rate())
}

// told is how much a simulated upstream says.
type told struct {
	headers bool   // x-ratelimit-* on every answer
	texts   bool   // limit, used, requested and hint in refusals
	hint    string // "": none (unless texts), "exact", "seconds" (rounded up)
}

func (t told) String() string {
	return fmt.Sprintf("headers=%v,texts=%v,hint=%q", t.headers, t.texts, t.hint)
}

// upstream is a simulated API with limits.
type upstream struct {
	meters        []*meter
	countRefusals bool
	unsaid        bool // what a refusal tells leaves its own charge out
	told          told
	says          func(answer) answer // changes what it answers, if set
	scale         float64             // real tokens per estimated one, 0 is 1
	// metered decides in place of meters, if set.
	metered func(now time.Time, w *Waiter) answer
}

type answer struct {
	ok      bool
	refusal Refusal
	headers Headers
}

// take decides on one request that reaches the upstream at now.
func (u *upstream) take(now time.Time, w *Waiter) answer {
	if u.metered != nil {
		return u.metered(now, w)
	}
	a := u.decide(now, w)
	if u.says != nil {
		a = u.says(a)
	}
	return a
}

func (u *upstream) decide(now time.Time, w *Waiter) answer {
	var worst *meter
	var wait time.Duration
	for _, m := range u.meters {
		m.advance(now)
		if c := u.cost(m, w); c > 0 && m.level+1e-9 < min(c, m.size) {
			if d := m.wait(now, c); worst == nil || d > wait {
				worst, wait = m, d
			}
		}
	}
	a := answer{ok: worst == nil}
	if !a.ok && u.unsaid {
		a.refusal = u.refusal(now, w, worst, wait)
	}
	for _, m := range u.meters {
		if a.ok || (u.countRefusals && m.unit == "requests") {
			c := u.cost(m, w)
			m.level = max(m.level-c, -m.limit)
			m.shown = max(m.shown-c, -m.limit)
		}
	}
	if u.told.headers {
		a.headers = ParseHeaders(u.header(now), now)
	}
	if a.ok {
		return a
	}
	if !u.unsaid {
		a.refusal = u.refusal(now, w, worst, wait)
	}
	a.refusal.Headers = a.headers
	return a
}

// refusal is what is told of one by worst, which is ready after wait.
func (u *upstream) refusal(now time.Time, w *Waiter, worst *meter, wait time.Duration) Refusal {
	var r Refusal
	switch u.told.hint {
	case "exact":
		r.Hint = wait.Round(time.Millisecond)
	case "seconds":
		r.Hint = (wait + time.Second - 1).Truncate(time.Second)
	}
	if u.told.texts {
		c := u.cost(worst, w)
		r.Dimension, r.Limit, r.Window, r.Requested = worst.unit, worst.limit, worst.window, c
		r.Used = worst.limit - math.Floor(worst.level)
		if worst.enforce == refill {
			deficit := math.Ceil(min(c, worst.size) - worst.level)
			r.Used = worst.limit - c + deficit
			wait = seconds(deficit / worst.rate())
		}
		r.Hint = wait.Round(time.Millisecond)
	}
	return r
}

// cost is what w costs by this upstream's count.
func (u *upstream) cost(m *meter, w *Waiter) float64 {
	if m.unit == "tokens" && u.scale > 0 {
		return m.cost(w) * u.scale
	}
	return m.cost(w)
}

func (u *upstream) header(now time.Time) map[string][]string {
	h := map[string][]string{}
	for _, m := range u.meters {
		unit := map[string]string{"requests": "Requests", "tokens": "Tokens", "images": "Images"}[m.unit]
		h["X-Ratelimit-Limit-"+unit] = []string{fmt.Sprint(int64(m.limit))}
		h["X-Ratelimit-Remaining-"+unit] = []string{fmt.Sprint(int64(m.remaining()))}
		h["X-Ratelimit-Reset-"+unit] = []string{m.reset(now).Round(time.Millisecond).String()}
	}
	return h
}

// header is what an answer's headers are, from names and values in turn.
func header(pairs ...string) map[string][]string {
	h := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}
