package admission

import (
	"time"

	"outrigger/policy/concurrency"
)

// Places are leased from a limit on calls in flight that several processes share: a call needs
// one from just before it is sent to its end.

// PlacesAsk asks for places.
type PlacesAsk struct {
	// Limit is how many there are, as far as is known, and Probe how many more may be tried;
	// Gap is how long nobody tries afterwards.
	Limit, Probe int
	Gap          time.Duration
	// Held is how many this process has, and Want how many more it needs.
	Held, Want int
}

// PlacesLease is the answer.
type PlacesLease struct {
	// Granted is how many more it has, of which so many are Probes. Others is how many others have, and Waiting whether any
	// of those waits.
	Granted, Probes, Others int
	Waiting                 bool
}

const (
	// placesRenew is how often who holds places says so. After three times as long without a
	// word they are others'.
	placesRenew = 600 * time.Millisecond
	// placesKeep is how long a place is kept that nobody uses, while nobody else waits.
	placesKeep = 100 * time.Millisecond
	// placesAgain is how long one who waits for a place waits for word that there is one.
	placesAgain = 250 * time.Millisecond
	// placesRefused is how long nobody asks for a place anew once a call was refused.
	placesRefused = 50 * time.Millisecond
)

// sharing are the places of Slots whose limit is shared.
type sharing struct {
	fleet   Fleet
	of      Account
	held    int
	asked   bool
	again   time.Time // no sooner, but for word
	renewed time.Time
	freed   time.Time // when held became more than is used; zero while it is not
	waiting bool      // others do
	woken   bool      // something came about while an answer was awaited, which may be older
	timer   *time.Timer
	told    concurrency.Known // what others know of the limit
	version int64
}

// word is told that a place may be free.
func (s *Slots) word() {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, now := s.shared, time.Now()
	if h == nil {
		return
	}
	h.again, h.woken = time.Time{}, h.asked
	s.Release(now)
	s.passWord(now)
}

// passWord says that nobody waits here any more, so that another is woken. Locked.
func (s *Slots) passWord(now time.Time) {
	if limit, probe := s.bound(now); s.queue.Len() == 0 && limit > 0 {
		s.askPlaces(now, limit, probe, 0)
	}
}

// bound is how many calls may be in flight, all processes together, and how many of them as a
// probe; 0 is any number. Locked.
func (s *Slots) bound(now time.Time) (limit, probe int) { //nolint:nonamedreturns // the names tell them apart
	if s.learns {
		if allowed := s.learned.Allowed(now); allowed != concurrency.Unlimited {
			limit = max(1, s.learned.Known(now).Limit)
			probe = allowed - limit
		}
	}
	if s.most > 0 && (limit == 0 || s.most < limit+probe) {
		limit, probe = min(s.most, max(limit, s.most)), 0
		if known := s.learned.Known(now).Limit; s.learns && known > 0 {
			limit, probe = min(s.most, known), max(0, min(s.most-known, probe))
		}
	}
	return limit, probe
}

// freeOfShared reports whether one more may go by what is leased, and asks for more if not. Locked.
func (s *Slots) freeOfShared(now time.Time) bool {
	h := s.shared
	limit, probe := s.bound(now)
	if limit == 0 {
		return true
	}
	if parts, closed := h.fleet.Apart(); parts > 0 {
		h.held, h.asked, h.again = 0, false, time.Time{}
		return !closed && s.taken < max(1, limit/parts)
	}
	if s.taken < h.held && (s.most == 0 || s.taken < s.most) { // what was leased may have been more
		return true
	}
	s.askPlaces(now, limit, probe, max(1, s.queue.Len()))
	return false
}

// askPlaces asks for so many places more. Locked.
func (s *Slots) askPlaces(now time.Time, limit, probe, want int) {
	h := s.shared
	if h.asked || want > 0 && now.Before(h.again) {
		return
	}
	h.asked = true
	h.held = max(h.held, s.taken)
	h.fleet.Places(h.of, PlacesAsk{Limit: limit, Probe: probe, Gap: s.learned.Gap(), Held: h.held, Want: want}, s.leased)
}

// leased takes in the answer.
func (s *Slots) leased(r PlacesLease, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, now := s.shared, time.Now()
	if h == nil {
		return
	}
	h.asked = false
	if ok {
		h.held += r.Granted
		s.learned.Probes(r.Probes)
		h.waiting, h.renewed = r.Waiting, now
		if r.Granted == 0 && h.again.Before(now) {
			h.again = now.Add(placesAgain)
		}
		s.learned.Others(r.Others)
		if s.learns && h.held == s.taken {
			s.learned.Run(now, s.taken+r.Others)
		}
	}
	word := h.woken
	if h.woken {
		h.again, h.woken = time.Time{}, false
	}
	s.Release(now)
	if word {
		s.passWord(now)
	}
	s.giveBack(now)
	s.watch(now)
}

// yield gives up a place that has become free while others wait, who may have fewer, or whose
// call was refused: there may be none. It asks anew for those who wait here. Locked.
func (s *Slots) yield(now time.Time, accepted bool) {
	h := s.shared
	if h == nil || h.held <= s.taken || accepted && (!h.waiting || s.queue.Len() == 0) {
		return
	}
	h.held, h.again, h.woken = s.taken, time.Time{}, h.woken || h.asked
	limit, probe := s.bound(now)
	if !accepted {
		s.askPlaces(now, limit, probe, 0)
		h.again = now.Add(placesRefused)
		return
	}
	s.askPlaces(now, limit, probe, s.queue.Len())
}

// giveBack returns places that nobody here uses: at once if others wait. Locked.
func (s *Slots) giveBack(now time.Time) {
	h := s.shared
	if h == nil {
		return
	}
	if h.asked || h.held <= s.taken || s.queue.Len() > 0 && s.unboundedNow(now) {
		if h.held <= s.taken {
			h.freed = time.Time{}
		}
		return
	}
	if h.freed.IsZero() {
		h.freed = now
	}
	if !h.waiting && now.Sub(h.freed) < placesKeep {
		return
	}
	h.held, h.freed = s.taken, time.Time{}
	limit, probe := s.bound(now)
	s.askPlaces(now, limit, probe, 0)
}

func (s *Slots) unboundedNow(now time.Time) bool {
	limit, _ := s.bound(now)
	return limit == 0
}

// watch sets the timer for what is to be said next: that places are held, or are given back, or
// that one is still waited for. Locked.
func (s *Slots) watch(now time.Time) {
	h := s.shared
	if h == nil {
		return
	}
	var next time.Duration
	switch {
	case h.held > s.taken:
		next = placesKeep
	case s.queue.Len() > 0 && !s.unboundedNow(now):
		next = min(placesAgain, max(h.again.Sub(now), time.Millisecond))
	case h.held > 0:
		next = placesRenew
	default:
		return
	}
	if h.timer == nil {
		h.timer = time.AfterFunc(next, s.look)
	} else {
		h.timer.Reset(next)
	}
}

// look does what watch set the timer for.
func (s *Slots) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, now := s.shared, time.Now()
	if h == nil {
		return // since just now
	}
	s.Release(now)
	s.giveBack(now)
	if parts, _ := h.fleet.Apart(); parts == 0 && h.held > 0 && now.Sub(h.renewed) >= placesRenew {
		limit, probe := s.bound(now)
		s.askPlaces(now, limit, probe, 0)
	}
	s.watch(now)
}

// news returns what is known of the limit, and whether others do not know that yet.
func (s *Slots) news(now time.Time) (known concurrency.Known, version int64, isNew bool) { //nolint:nonamedreturns // the names tell them apart
	s.mu.Lock()
	defer s.mu.Unlock()
	known = s.learned.Known(now)
	if s.shared == nil {
		return known, 0, false
	}
	return known, s.shared.version, s.learns && known != s.shared.told
}

// heard takes in what others know of the limit, as of a version, and how many calls they have
// under way.
func (s *Slots) heard(now time.Time, known concurrency.Known, version int64, others int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.learns || s.shared == nil {
		return
	}
	if limit, _ := s.bound(now); limit == 0 {
		s.learned.Others(others)
	}
	if version == s.shared.version {
		return
	}
	s.learned.Adopt(now, known)
	s.shared.told, s.shared.version = known, version
	if limit, probe := s.bound(now); limit > 0 { // what runs here counts from now on
		s.askPlaces(now, limit, probe, 0)
	}
	s.Release(now)
	s.watch(now)
}

// leave gives up what is shared.
func (h *sharing) leave() {
	if h == nil {
		return
	}
	if h.timer != nil {
		h.timer.Stop()
	}
	h.fleet.Woken(h.of, nil)
}

// flying is how many calls hold a slot.
func (s *Slots) flying() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}
