package limit

import "time"

// One answer of many may carry a header that no other has: written by a gateway, for
// another service, or broken. So a limit that appears amid answers which told none, or
// that is far under the one they told, is believed when a second answer says the same.
const (
	// oddSilence is how many answers in a row must have told nothing of a limit.
	oddSilence = 4
	// oddShare is what part of a known limit a new one must be under.
	oddShare = 0.2
	// oddTime is how soon the second answer must come.
	oddTime = 30 * time.Second
	// unsaidMost is after how many answers that do not repeat it a limit is forgotten by
	// which nothing was ever refused, headersHold after it was last told.
	unsaidMost = 16
)

// odd is what is known of the answers about one limit. The zero value has seen none.
type odd struct {
	unsaid int     // answers in a row that did not tell it
	limit  float64 // one that a single answer told, and when
	at     time.Duration
}

// odd reports whether what an answer tells of a slot's limit needs a second one.
func (l *Limiter) odd(t time.Duration, s slot, r Reading) bool {
	if r.Limit < 0 {
		return false
	}
	if r.Window >= longWindow {
		s = s.long()
	}
	o, known := &l.odds[s], l.toldLimit(s)
	unsaid := o.unsaid
	o.unsaid = 0
	fresh := unsaid >= oddSilence && (known == 0 || !alike(known, r.Limit))
	if !fresh && (known == 0 || r.Limit >= oddShare*known) {
		return false
	}
	if o.limit > 0 && alike(o.limit, r.Limit) && t-o.at < oddTime {
		return false
	}
	o.limit, o.at = r.Limit, t
	if known == 0 {
		o.unsaid = unsaid
	}
	return true
}

// toldLimit is the limit of a slot that headers told, 0 if they told none.
func (l *Limiter) toldLimit(s slot) float64 {
	if b := l.at(s); b.active && b.source == SourceHeader {
		return b.limit
	}
	return 0
}

// unsaid counts an answer for each limit that it did not tell, and forgets those that
// one answer told and none repeats: nothing else would ever refute them.
func (l *Limiter) unsaid(t time.Duration, h Headers) {
	var told [slots]bool
	for _, r := range h.Readings {
		if s, ok := slotOf(r.Dimension); ok {
			told[s], told[s.long()] = true, true
		}
	}
	for s := range slots {
		if told[s] || s == slotSpike {
			continue
		}
		o, b := &l.odds[s], l.at(s)
		o.unsaid = min(o.unsaid+1, unsaidMost)
		if o.unsaid == unsaidMost && l.toldLimit(s) > 0 && b.estimate.n == 0 && b.ceiling == 0 && t-b.toldAt >= headersHold {
			l.drop(s)
		}
	}
}
