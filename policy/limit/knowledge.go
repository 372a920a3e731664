package limit

import (
	"math"
	"time"
)

// Knowledge is what was learned of a limit, for other processes that share it. It is written as
// JSON, to which fields may be added.
type Knowledge struct {
	Limits []KnownLimit `json:"limits"`
	// Spike is the ceiling of a Slow Down, nil if there is none.
	Spike *KnownSpike `json:"spike,omitempty"`
}

// KnownLimit is one limit. Amounts are in requests, tokens or images.
type KnownLimit struct {
	Slot string `json:"slot"` // as in Bucket.Dimension
	// Limit is how many may be used in Window seconds, 0 where only Rate per second is known.
	Limit  float64 `json:"limit,omitempty"`
	Window float64 `json:"window,omitempty"`
	Source Source  `json:"source"`
	Rate   float64 `json:"rate"`
	// Crowd is the limit's rate where strangers use it too.
	Crowd float64 `json:"crowd,omitempty"`
	// Sure, Firm, Doubtful and Doubling tell how well Rate is known, and Wide that all of Limit
	// may go at once. Evenly is that it refills all the time.
	Sure     bool `json:"sure,omitempty"`
	Firm     bool `json:"firm,omitempty"`
	Doubtful bool `json:"doubtful,omitempty"`
	Doubling bool `json:"doubling,omitempty"`
	Wide     bool `json:"wide,omitempty"`
	Evenly   bool `json:"evenly,omitempty"`
	// Refused says that refusals showed some of this.
	Refused bool `json:"refused,omitempty"`
	// Factor and Fixed are what is charged for tokens: times the estimate, and for each request
	// with and without a bound to its output.
	Factor float64          `json:"factor,omitempty"`
	Fixed  [outputs]float64 `json:"fixed"`
}

// KnownSpike is a Slow Down. Rates are requests per second, Hold is in seconds from now.
type KnownSpike struct {
	Rate float64 `json:"rate"`
	Cut  float64 `json:"cut"`
	Hold float64 `json:"hold"`
}

// UnmarshalText reads what MarshalText writes. Others are SourceRefusals: it is the weakest.
func (s *Source) UnmarshalText(text []byte) error {
	*s = SourceRefusals
	for _, known := range [...]Source{SourceConfigured, SourceHeader, SourceText} {
		if known.String() == string(text) {
			*s = known
		}
	}
	return nil
}

// fact is what of a slot others are to be told of once it changes. The zero value is nothing.
type fact struct {
	limit    float64
	window   time.Duration
	source   Source
	rate     float64
	events   int
	doubling bool
	wide     bool
}

// changedShare is how far a rate must move by itself to be told of.
const changedShare = 0.01

// fact returns that of a slot.
func (l *Limiter) fact(s slot) fact {
	b := l.at(s)
	if !b.active || b.source == SourceConfigured && b.estimate.n == 0 {
		return fact{}
	}
	e := &b.estimate
	return fact{b.limit, b.window, b.source, e.rate, e.n, e.doubling, b.wide}
}

// news reports whether f tells more than what was told before.
func (f fact) news(before fact) bool {
	if f == (fact{}) || f == before {
		return false
	}
	near := math.Abs(f.rate-before.rate) <= changedShare*before.rate
	f.rate, before.rate = 0, 0
	return !near || f != before
}

// learnedFacts reports whether something was learned that others have not been told.
func (l *Limiter) learnedFacts() bool {
	s := l.lease
	for _, slot := range l.active {
		if slot != slotSpike && l.fact(slot).news(s.synced[slot]) {
			return true
		}
	}
	return l.at(slotSpike).active && (l.spike.rate != s.spiked.rate || l.spike.until != s.spiked.until)
}

// sync notes that others know what k says.
func (l *Limiter) sync(k *Knowledge) {
	s := l.lease
	for _, slot := range l.active {
		s.synced[slot] = l.fact(slot)
	}
	s.spiked = l.spike
	if k == nil {
		return
	}
	// What was learned while the answer was awaited is still to be told.
	for _, known := range k.Limits {
		slot, ok := slotNamed(known.Slot)
		if !ok {
			continue
		}
		f := &s.synced[slot]
		f.rate, f.limit, f.source, f.doubling, f.wide = known.Rate, known.Limit, known.Source, known.Doubling, known.Wide
	}
}

// slotNamed is the slot that String names.
func slotNamed(name string) (slot, bool) {
	for s := range slots {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}

// knowledge returns what is known now.
func (l *Limiter) knowledge(now time.Time) *Knowledge {
	k := &Knowledge{}
	for _, s := range l.active {
		b, e := l.bucket(s), &l.bucket(s).estimate
		if s == slotSpike || l.fact(s) == (fact{}) {
			continue
		}
		k.Limits = append(k.Limits, KnownLimit{
			Slot: s.String(), Limit: b.limit, Window: b.window.Seconds(), Source: b.source, Rate: e.rate, Crowd: e.crowd,
			Sure: b.sure, Firm: e.firm, Doubtful: e.doubtful, Doubling: e.doubling, Wide: b.wide, Evenly: b.reading.continuous,
			Refused: e.n > 0, Factor: b.ratio, Fixed: b.fixed,
		})
	}
	if l.at(slotSpike).active {
		k.Spike = &KnownSpike{Rate: l.spike.rate, Cut: l.spike.cut, Hold: (l.spike.until - now.Sub(l.start)).Seconds()}
	}
	return k
}

// adoptKnown takes over what others know of the limit. What is known here and not to them stays.
func (l *Limiter) adoptKnown(now time.Time, k *Knowledge) {
	if !l.set.Learn {
		return
	}
	l.slowed = true
	for _, known := range k.Limits {
		if s, ok := slotNamed(known.Slot); ok && s != slotSpike && known.sensible() {
			l.adoptLimit(now, s, known)
		}
	}
	if k.Spike != nil && k.Spike.Rate > 0 && k.Spike.Rate <= maxUnits {
		l.adoptSpike(now, k.Spike)
	}
	if len(l.active) > 0 && l.ramp.On && !l.ramp.Probe && l.refusedOnce() {
		l.ramp.Stop()
	}
	before := l.lease.synced
	l.sync(nil)
	for _, s := range l.active {
		if !k.names(s) {
			l.lease.synced[s] = before[s]
		}
	}
}

// sensible reports whether what another process wrote can be true.
func (k KnownLimit) sensible() bool {
	for _, n := range [...]float64{k.Limit, k.Window, k.Rate, k.Crowd, k.Factor, k.Fixed[0], k.Fixed[1]} {
		if !(n >= 0 && n <= maxUnits) {
			return false
		}
	}
	return k.Rate > 0 && (k.Limit > 0) == (k.Window > 0)
}

func (k *Knowledge) names(s slot) bool {
	for _, known := range k.Limits {
		if known.Slot == s.String() {
			return true
		}
	}
	return false
}

// refusedOnce reports whether any limit is known by a refusal, so that no slow start has to find it.
func (l *Limiter) refusedOnce() bool {
	for _, s := range l.active {
		if l.at(s).estimate.n > 0 {
			return true
		}
	}
	return false
}

// adoptLimit takes one limit over.
func (l *Limiter) adoptLimit(now time.Time, s slot, k KnownLimit) {
	b, t, u := l.bucket(s), now.Sub(l.start), s.counts()
	window := time.Duration(k.Window * float64(time.Second))
	configured := b.ceiling > 0 && (window == 0 || k.Limit/k.Window >= b.ceiling)
	switch {
	case configured:
	case window > 0:
		l.limits(now, s, k.Limit, window, k.Source)
	case !b.active:
		b.estimate.reset(k.Rate, t)
		b.source, b.ahead = SourceRefusals, share(k.Rate)/4
		l.open(now, s, 0)
	default:
		b.limit, b.window, b.source, b.sure = 0, 0, SourceRefusals, false
	}
	e := &b.estimate
	refused := k.Refused && math.Abs(e.rate-k.Rate) > changedShare*k.Rate || k.Refused && e.n == 0
	e.reset(k.Rate, t)
	e.firm, e.doubtful, e.doubling, e.crowd = k.Firm, k.Doubtful, k.Doubling, k.Crowd
	if !configured {
		b.sure, b.toldAt, b.reading.continuous = k.Sure, t, k.Evenly
		if k.Refused && !k.Wide && window < longWindow && window > 0 {
			l.tight, b.wide = t+tightTime, false
		}
	}
	if k.Factor > 0 && !b.reading.settled {
		b.ratio, b.reading.settled = min(max(k.Factor, leastFactor), mostFactor), true
	}
	if !b.constants() {
		b.fixed = k.Fixed
	}
	if refused { // what went before it belongs to the same congestion event
		e.mark(t, l.sent[u]-l.refused[u]/2, l.sent[u])
		e.acted, e.taken, e.misses = t, l.taken[u], 0
		e.begun = inFlight{t, 0, l.sent[u], l.refused[u]}
	}
	b.speed = 0
	b.tune(now, t)
	b.resize(now)
}

// adoptSpike takes a Slow Down over.
func (l *Limiter) adoptSpike(now time.Time, k *KnownSpike) {
	t := now.Sub(l.start)
	until := t + time.Duration(max(-spikeHold.Seconds()*10, min(k.Hold, spikeHold.Seconds()))*float64(time.Second))
	if b := l.bucket(slotSpike); !b.active {
		l.spike = spike{rate: k.Rate, until: until, acted: t, cut: k.Cut, drain: draining{most: mostMargin}}
		b.estimate.reset(k.Rate, t)
		b.ahead, b.size, b.source = share(k.Rate), share(k.Rate)/burstShare, SourceRefusals
		l.open(now, slotSpike, 0)
		l.relax(now, t)
		l.ramp.Stop()
		return
	}
	if l.spike.rate != k.Rate {
		l.spike.rate, l.spike.until, l.spike.cut = k.Rate, until, k.Cut
		l.relax(now, t)
	}
}

// amongOthers is how long a wait lasts of which the others who wait have their parts.
func (l *Limiter) amongOthers(wait time.Duration) time.Duration {
	if s := l.lease; s != nil && s.apart == 0 && s.waiting > 1 && wait < math.MaxInt64/time.Duration(s.waiting) {
		return wait * time.Duration(s.waiting)
	}
	return wait
}
