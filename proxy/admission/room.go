package admission

import (
	"cmp"
	"container/list"
	"time"
	"unsafe"
)

// Callers choose credentials and models, so what is kept of those that nobody uses is bounded:
// in bytes over all, and for one credential, and by time. Those that are in use are bounded by
// the calls that are on their way. Nothing is kept of a model that no answer showed to exist,
// and little of its credential, unless refusals taught something; little too of models that
// exist while their answers tell nothing (maxBlank).
const (
	// QueueRoom is how many bytes the limiters of one process take that nobody uses: of one
	// that knows two limits 800, of others three times as many.
	QueueRoom = 8 << 20
	// accountShare is which part of it one credential's may take.
	accountShare = 4
	// youngUses is from how many uses on a limiter is believed to be needed again. Until then
	// it goes before others, and sooner: what headers tell, the next answer tells too.
	youngUses = 8
	youngTime = 2 * time.Minute
	blankTime = time.Minute
)

// The kinds of queues that nobody uses, in the order in which they go.
const (
	idleBlank = iota // a new one would do as well
	idleYoung
	idleOld
	idleKinds
)

// queueBytes is about what a queue takes without its limiter: itself, its slots, what answers
// take by kind, its key, and its entries in the map and the lists.
const queueBytes = int(unsafe.Sizeof(Queue{})+unsafe.Sizeof(Slots{})) + 384

// isBlank reports whether a new queue would do as well.
func (ln *Queue) isBlank(now time.Time) bool { return !ln.proven.Load() && !ln.knows(now) }

// knows reports whether refusals taught it something beside its limiter.
func (ln *Queue) knows(now time.Time) bool {
	return ln.Refusals.lasts(now) || ln.Slots.knowsLimit(now)
}

// isOver reports whether a queue that nobody uses has been idle for long enough to go.
func (ln *Queue) isOver(now time.Time) bool {
	if !ln.proven.Load() {
		return ln.isBlank(now)
	}
	if ln.knows(now) {
		return false
	}
	ts := ln.lock()
	defer ts.mu.Unlock()
	if ln.uses < youngUses && ts.limiter.Refusals() == 0 {
		return ts.limiter.Rests(now, youngTime)
	}
	return ts.limiter.Idle(now)
}

// rest puts a queue that nobody uses among those that may go. Locked.
func (ls *Queues) rest(ln *Queue, now time.Time) {
	size := queueBytes + ln.Refusals.size()
	kind := idleYoung
	if ln.uses >= youngUses {
		kind = idleOld
	}
	if ln.proven.Load() {
		ts := ln.lock()
		size += ts.limiter.Size()
		if ts.limiter.Untried(now) && !ln.knows(now) {
			kind = idleBlank
		}
		ts.mu.Unlock()
	} else {
		delete(ln.account.unproven, ln)
	}
	ls.resize(ln, size)
	ls.unrest(ln)
	ln.kind, ln.idle = kind, [2]*list.Element{ls.idle[kind].PushBack(ln), ln.account.idle[kind].PushBack(ln)}
	if kind == idleBlank && ls.idle[kind].Len() > maxBlank {
		ls.dropFirst(&ls.idle, now)
	}
}

// unrest takes it out of there. Locked.
func (ls *Queues) unrest(ln *Queue) {
	if ln.idle[0] != nil {
		ls.idle[ln.kind].Remove(ln.idle[0])
		ln.account.idle[ln.kind].Remove(ln.idle[1])
		ln.idle = [2]*list.Element{}
	}
}

// resize notes how many bytes a queue takes. Locked.
func (ls *Queues) resize(ln *Queue, size int) {
	ls.bytes += size - ln.size
	ln.account.bytes += size - ln.size
	ln.size = size
}

// makeRoom drops those that nobody uses until the others fit: of an account that takes more than
// its share its own, and then whoever was not used for longest. Locked.
func (ls *Queues) makeRoom(a *account, now time.Time) {
	for a.bytes > ls.Room/accountShare && ls.dropFirst(&a.idle, now) {
	}
	for ls.bytes > ls.Room {
		if front := cmp.Or(ls.blank.Front(), ls.resting.Front()); front != nil {
			ls.dropCommon(front.Value.(*account), now)
		} else if !ls.dropFirst(&ls.idle, now) {
			return
		}
	}
}

// dropFirst drops the queue that is to go first, if there is one. Locked.
func (ls *Queues) dropFirst(idle *[idleKinds]list.List, now time.Time) bool {
	for kind := range idle {
		if front := idle[kind].Front(); front != nil {
			ln := front.Value.(*Queue)
			ls.drop(ln, now)
			ls.forget(ln.account)
			return true
		}
	}
	return false
}

// drop forgets a queue, but not what its limiter counted. Locked.
func (ls *Queues) drop(ln *Queue, now time.Time) {
	ls.unrest(ln)
	if !ln.proven.Load() {
		delete(ln.account.unproven, ln)
	} else if ls.SharedQuotas.remove(ln) {
		ls.dropped.Add(ln.scheduler.Load().snapshot(now).Counters)
	}
	ls.SharedQuotas.count(-1)
	ls.resize(ln, 0)
	ln.account.lines--
	delete(ls.byKey, ln.key)
}

// Tidy drops what has been idle for long enough, and reports whether anything is left.
func (ls *Queues) Tidy(now time.Time) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for kind := range ls.idle {
		for e := ls.idle[kind].Front(); e != nil; {
			ln := e.Value.(*Queue)
			e = e.Next()
			if ln.isOver(now) {
				ls.drop(ln, now)
				ls.forget(ln.account)
			}
		}
	}
	for _, resting := range [...]*list.List{&ls.resting, &ls.blank} {
		for e := resting.Front(); e != nil; {
			a := e.Value.(*account)
			e = e.Next()
			a.common.mu.Lock()
			l := a.common.limiter
			over := l.Rests(now, blankTime) && l.Blank(now) || l.Idle(now)
			a.common.mu.Unlock()
			if over {
				ls.dropCommon(a, now)
			}
		}
	}
	return len(ls.accounts) > 0
}
