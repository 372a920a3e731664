package limit

import (
	"time"

	"outrigger/policy/limit/counts"
	"outrigger/policy/priority"
)

// Several processes may share one limit. Each has a Limiter of its own, which learns from the
// answers that it gets, and knows what the others sent and learned. Its buckets do not hold
// anybody up: what may go is leased in small parts from the account that all share. Ask tells
// when a lease is due, and Leased takes one in. The account itself is elsewhere.

const (
	// LeaseTime is how long what was leased may be used: the time whose use is asked for.
	LeaseTime = 100 * time.Millisecond
	// leaseWait is how long the next try may be away while an answer is awaited.
	leaseWait = 50 * time.Millisecond
	// leaseLow is the part of what the last time used that must be left for no new lease to be
	// asked for, and leaseMore how much more than that is asked for.
	leaseLow  = 0.5
	leaseMore = 1.25
	// leaseFew is for how many requests one must be in use for the next to be asked for in advance.
	leaseFew = 2 * milli
)

// LeaseSlots is how many accounts there are: one of each limit, and that of the slow start.
const LeaseSlots = int(slots) + 1

// slotRamp is the account of the slow start.
const slotRamp = int(slots)

// Ask is what one process asks of the shared account of a limiter, and tells it.
type Ask struct {
	// Epoch and Version are of what it knows; Known is what it has learned since, nil for nothing.
	Epoch   string
	Version int64
	Known   *Knowledge
	// Pause is for how long nobody is to go, as far as it knows.
	Pause time.Duration
	// Slots are the accounts that it needs something of.
	Slots []AskSlot
	// Ramp is how many requests may go in one step of the slow start, each of Step's length; 0
	// is none.
	Ramp int
	Step time.Duration
	// Sent and Refused count what was since the last that was answered: requests, tokens,
	// images and requests without a bound to their output.
	Sent, Refused [units]int64
	// Queue is how many wait, by priority.
	Queue priority.Counts
}

// AskSlot is what is asked of one account. Amounts are in thousandths.
type AskSlot struct {
	// Slot is its number.
	Slot int
	// Speed is what comes in per second, Burst what the account holds, and Ahead what may be
	// used at once after idleness, as debt.
	Speed        float64
	Burst, Ahead int64
	// Level is what is left, as far as is known here: for an account that is new. Told is what
	// an answer has just told to be left at most; below NoTold it told nothing.
	Level, Told float64
	// Lower says that Level is news: a refusal told it.
	Lower bool
	// Want is what would be of use, Head the least that is, and Back what was not used.
	Want, Head, Back int64
}

// NoTold is under everything that may be left.
const NoTold = -1e15

// Lease is the answer to an Ask.
type Lease struct {
	// Epoch is another one where the account is new. Version is that of what is known, and
	// Known that if it differs from what the Ask had, or nil. Accepted says that it is what the
	// Ask told.
	Epoch    string
	Version  int64
	Known    *Knowledge
	Accepted bool
	// Pause is for how long nobody is to go.
	Pause time.Duration
	// Granted is what may be used of each account, in thousandths.
	Granted [LeaseSlots]int64
	// Again is when asking again makes sense if that was not enough.
	Again time.Duration
	// Sent and Refused count what all did in this epoch, this Ask included.
	Sent, Refused [units]int64
	// Waiting is how many processes wait, this one included.
	Waiting int
}

// leasing is a limiter's part of what is shared.
type leasing struct {
	balance [LeaseSlots]int64 // granted and not used
	has     [LeaseSlots]bool  // which accounts the last Ask was about
	until   time.Time         // it may be used before
	again   time.Time         // nothing more comes before
	asked   bool              // an answer is awaited
	short   bool              // somebody was held up for want of a lease
	used    [LeaseSlots]int64 // since
	since   time.Time
	told    [slots]float64 // what answers told since the last Ask
	hasTold [slots]bool

	epoch         string
	version       int64
	synced        [slots]fact // what is known here as of that version
	spiked        spike
	sent, refused amounts // that were told of, or heard of from others
	total         amounts // own, told of in this epoch
	totalRefused  amounts
	others        amounts // in this epoch, as last told
	othersRefused amounts
	waiting       int            // processes
	whole         [slots]float64 // the rates when it parted
	apart         int            // goes on with this part of each limit: 0 is not
	closed        bool
}

// Share makes the limiter one of several processes' that share an account. Called again, that
// is another account, which is told what the limiter knows.
func (l *Limiter) Share() { l.lease = &leasing{waiting: 1, sent: l.sent, refused: l.refused} }

// Shares reports whether it is one.
func (l *Limiter) Shares() bool { return l.lease != nil }

// Apart says that the shared account cannot be asked: the limiter goes on with one of so many
// equal parts of each limit, or, if closed is true, with nothing. 0 is that it can be asked again.
func (l *Limiter) Apart(now time.Time, parts int, closed bool) {
	s := l.lease
	closed = closed && parts > 0
	if s == nil || s.apart == parts && s.closed == closed {
		return
	}
	now = l.tick(now)
	back := s.apart > 0 && parts == 0
	divided := 1.0 // what is left is of all, until the limit is divided
	if s.apart == 0 && parts > 0 {
		divided = float64(parts)
	}
	s.apart, s.closed, s.asked = parts, closed, false
	s.balance, s.again = [LeaseSlots]int64{}, time.Time{}
	for _, slot := range l.active {
		b := l.bucket(slot)
		b.parts = float64(parts)
		level := b.level(now)
		b.speed = 0 // tune sets it anew
		b.tune(now, now.Sub(l.start))
		b.resize(now)
		if level > 0 {
			level /= divided
		}
		b.set(now, min(level, float64(b.burst)))
		switch e := &b.estimate; {
		case divided > 1:
			s.whole[slot] = e.rate
		case back && b.known() == 0 && e.rate < s.whole[slot]: // what a part showed is not about the whole
			e.reset(s.whole[slot], now.Sub(l.start))
			s.synced[slot] = l.fact(slot)
			b.speed = 0
			b.tune(now, now.Sub(l.start))
			b.resize(now)
		}
		if back { // the account does not know what went meanwhile
			s.tell(slot, min(level*max(1, float64(s.waiting)), float64(b.burst)))
		}
	}
	l.slowed = true
}

// leases reports whether it is leases that hold requests up, and not the buckets.
func (l *Limiter) leases() bool { return l.lease != nil && (l.lease.apart == 0 || l.lease.closed) }

// leaseFor returns how long w waits for a lease, 0 if there is one for it.
func (l *Limiter) leaseFor(now time.Time, w *Waiter) time.Duration {
	s, ok := l.lease, now.Before(l.lease.until)
	for _, slot := range l.active {
		if price := l.price(w, slot); price > 0 && s.balance[slot] < price {
			l.bucket(slot).pressed = true
			ok = false
		}
	}
	if l.ramp.On && s.balance[slotRamp] < milli {
		l.ramp.HeldUp(now.Sub(l.start))
		ok = false
	}
	if ok {
		return 0
	}
	s.short = true
	if s.asked || s.closed {
		return leaseWait
	}
	return max(s.again.Sub(now), time.Millisecond)
}

// useLease counts what w takes of the lease, and leaseBack what it did not use.
func (l *Limiter) useLease(w *Waiter) {
	s := l.lease
	for _, slot := range l.active {
		s.balance[slot] -= w.charge[slot]
		s.used[slot] += w.charge[slot]
	}
	s.used[slotRamp] += milli
	if l.ramp.On {
		s.balance[slotRamp] -= milli
	}
}

func (l *Limiter) leaseBack(w *Waiter) {
	s := l.lease
	for _, slot := range l.active {
		s.balance[slot] += w.charge[slot]
		s.used[slot] -= w.charge[slot]
	}
	s.used[slotRamp] -= milli
	if l.ramp.On {
		s.balance[slotRamp] += milli
	}
}

// Ask returns what is to be asked of the shared account now, and whether anything is: tell asks in
// any case, for something else that is to be told. Leased, or
// Unanswered, ends it. If nothing is to be asked, the time is when to look again, zero for not
// before another call.
func (l *Limiter) Ask(now time.Time, tell bool) (Ask, bool, time.Time) {
	s := l.lease
	if s == nil || s.asked || s.apart > 0 {
		return Ask{}, false, time.Time{}
	}
	now = l.tick(now)
	more := s.short || l.leaseIsLow(now)
	left := l.leaseLeft() && l.queue.length == 0 && !now.Before(s.until)
	learned := l.learnedFacts()
	switch {
	case (learned || tell) && s.epoch != "":
	case more && !now.Before(s.again):
	case left:
	case l.queue.length == 0 && now.Before(s.until) && l.leaseLeft():
		return Ask{}, false, s.until
	default:
		return Ask{}, false, time.Time{}
	}
	a := Ask{Epoch: s.epoch, Version: s.version, Pause: max(0, l.gate.Sub(now)), Queue: l.queue.waiting}
	if learned {
		a.Known = l.knowledge(now)
	}
	a.Slots = l.askSlots(now, more)
	if l.ramp.On {
		a.Ramp, a.Step = l.ramp.Quota(now.Sub(l.start), l.safe())
	}
	a.Sent, a.Refused = amounts(l.sent).minus(s.sent), amounts(l.refused).minus(s.refused)
	s.asked, s.short = true, false
	s.has, s.hasTold = [LeaseSlots]bool{}, [slots]bool{}
	for _, slot := range a.Slots {
		s.has[slot.Slot] = true
		s.balance[slot.Slot] -= slot.Back
	}
	return a, true, time.Time{}
}

// askSlots is what is to be asked of each account.
func (l *Limiter) askSlots(now time.Time, more bool) []AskSlot {
	s := l.lease
	all := make([]AskSlot, 0, len(l.active)+1)
	part := 0.0
	if took := now.Sub(s.since); !s.since.IsZero() && took < 10*LeaseTime {
		part = leaseMore * LeaseTime.Seconds() / max(took, LeaseTime/2).Seconds()
	}
	head := l.queue.head()
	expected := func(slot int) int64 { return int64(part * float64(max(0, s.used[slot]))) }
	for _, slot := range l.active {
		b, u := l.bucket(slot), slot.counts()
		t := now.Sub(l.start)
		l.tune(now, t, slot)
		b.fill(now)
		a := AskSlot{Slot: int(slot), Speed: b.speed * milli, Burst: b.burst, Level: l.known(now, b), Told: NoTold, Lower: b.estimate.n > s.synced[slot].events}
		if !b.wide {
			a.Ahead = b.ahead
		}
		if s.hasTold[slot] {
			a.Told = s.told[slot]
		}
		if more {
			a.Head = int64(max(milli, b.estimate.unit*milli))
			if head != nil {
				a.Head = max(1, l.price(head, slot))
			}
			a.Want = max(int64(b.charge(u, amounts(l.queue.cost))*milli), expected(int(slot))) - s.balance[slot]
			a.Want = max(a.Want, a.Head)
		} else {
			a.Back = max(0, s.balance[slot])
		}
		all = append(all, a)
	}
	if l.ramp.On || s.balance[slotRamp] > 0 {
		a := AskSlot{Slot: slotRamp, Told: NoTold}
		s.balance[slotRamp] = max(0, s.balance[slotRamp])
		if more && l.ramp.On {
			a.Head, a.Want = milli, max(max(int64(l.queue.length)*milli, expected(slotRamp))-s.balance[slotRamp], milli)
		} else {
			a.Back = max(0, s.balance[slotRamp])
		}
		all = append(all, a)
	}
	s.used, s.since = [LeaseSlots]int64{}, now
	return all
}

// tell notes that an answer told that no more than this is left.
func (s *leasing) tell(slot slot, most float64) {
	if !s.hasTold[slot] || most < s.told[slot] {
		s.told[slot], s.hasTold[slot] = most, true
	}
}

// known is what is left of b, as far as is known here: while it is dry less than nothing.
func (l *Limiter) known(now time.Time, b *bucket) float64 {
	level := b.level(now)
	if dry := b.dry.Sub(now); dry > 0 {
		level = min(level, 0) - dry.Seconds()*b.speed*milli
	}
	return level
}

// leaseLeft reports whether anything is left of the lease.
func (l *Limiter) leaseLeft() bool {
	for slot, left := range l.lease.balance {
		if left > 0 && l.lease.has[slot] {
			return true
		}
	}
	return false
}

// leaseIsLow reports whether the lease is about to be used up, or over, while it is in use.
func (l *Limiter) leaseIsLow(now time.Time) bool {
	s := l.lease
	if s.used[slotRamp] < leaseFew { // who sends now and then asks for each
		return false
	}
	low := false
	for _, slot := range l.active {
		low = low || s.used[slot] > 0 && float64(s.balance[slot]) < leaseLow*float64(s.used[slot])
	}
	low = low || l.ramp.On && s.used[slotRamp] > 0 && float64(s.balance[slotRamp]) < leaseLow*float64(s.used[slotRamp])
	return low || s.used[slotRamp] > 0 && !now.Before(s.until)
}

// Leased takes in the answer to the last Ask. Call Release afterwards.
func (l *Limiter) Leased(now time.Time, a Ask, r Lease) {
	s := l.lease
	if s == nil || !s.asked || s.apart > 0 {
		return
	}
	now = l.tick(now)
	s.asked = false
	s.sent, s.refused = s.sent.plus(a.Sent), s.refused.plus(a.Refused)
	fresh := r.Epoch != s.epoch
	if fresh {
		s.epoch, s.total, s.totalRefused = r.Epoch, amounts{}, amounts{}
	}
	for u := range units {
		s.total[u] += a.Sent[u]
		s.totalRefused[u] += a.Refused[u]
	}
	others, othersRefused := amounts(r.Sent).minus(s.total), amounts(r.Refused).minus(s.totalRefused)
	if !fresh {
		l.theirs(now, others.minus(s.others), othersRefused.minus(s.othersRefused))
	}
	s.others, s.othersRefused = others, othersRefused
	s.waiting = max(1, r.Waiting)
	switch {
	case r.Known != nil:
		l.adoptKnown(now, r.Known)
	case r.Accepted:
		l.sync(a.Known)
	case r.Version == 0:
		s.synced = [slots]fact{}
	}
	s.version = r.Version
	if r.Pause > 0 {
		l.hold(now, r.Pause)
	}
	for slot := range LeaseSlots {
		s.balance[slot] += r.Granted[slot]
	}
	s.until, s.again = now.Add(LeaseTime), now.Add(r.Again)
	s.short = false // who still is says so again
}

// Unanswered says that the last Ask was not answered: what it told is to be told again.
func (l *Limiter) Unanswered() {
	if l.lease != nil {
		l.lease.asked = false
	}
}

// theirs counts what others sent and what of it was refused.
func (l *Limiter) theirs(now time.Time, sent, refused amounts) {
	t := now.Sub(l.start)
	for u := range units {
		sent[u], refused[u] = max(0, sent[u]), max(0, refused[u])
		l.sent[u] += sent[u]
		l.taken[u] += sent[u]
		l.refused[u] += refused[u]
		l.lease.sent[u] += sent[u]
		l.lease.refused[u] += refused[u]
	}
	if sent[unitRequest] == 0 {
		return
	}
	l.recent.AddSome(t, [counts.Units]int64(sent), [counts.Units]int64(refused))
	for _, slot := range l.active {
		b := l.bucket(slot)
		b.lower(now, b.level(now)-b.charge(slot.counts(), sent)*milli)
	}
}
