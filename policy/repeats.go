package policy

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// RepeatTime is how long a call that failed for good is remembered. Of the clients
// that retry by themselves, most wait less between two tries.
const RepeatTime = 30 * time.Second

// A caller that goes on repeating with longer waits is remembered for repeatGaps times
// its last wait, at most repeatMax: exponential backoff with jitter in [1, 2), as in
// p-retry (LangChain.js), at most quadruples a wait, and its 7 tries span 2 min.
const (
	repeatGaps = 4
	repeatMax  = 2 * time.Minute
)

// Repeats remembers calls that failed for good, so that an identical one is not
// retried in full again. Each failure stands for one repeat of its caller: two equal
// calls of one app are two, and the failure of one says little about the other.
//
// O tells owners apart, C calls without their bodies, B bodies. It is bounded: at the
// bound, the owner with the most entries loses its oldest. Safe for concurrent use;
// made by NewRepeats.
type Repeats[O, C, B comparable, A any] struct {
	limit int
	last  atomic.Int64 // when the last entry ends, in Unix nanoseconds; 0: there is none

	mu     sync.Mutex
	n      int
	calls  map[C][]*failedCall[O, C, B, A]
	owners map[O]*list.List // of *failedCall, the oldest in front
}

type failedCall[O, C, B comparable, A any] struct {
	owner   O
	call    C
	body    B
	answer  A
	failed  time.Time // the last attempt
	seen    time.Time // the last failure or repeat
	until   time.Time
	repeats int // that may come
	place   *list.Element
}

// NewRepeats returns an empty memory of at most limit calls; a limit under 1 is 1.
func NewRepeats[O, C, B comparable, A any](limit int) *Repeats[O, C, B, A] {
	return &Repeats[O, C, B, A]{
		limit: max(limit, 1), calls: map[C][]*failedCall[O, C, B, A]{}, owners: map[O]*list.List{},
	}
}

// Any reports whether anything is remembered. It is cheap: most of the time there is nothing.
func (r *Repeats[O, C, B, A]) Any(now time.Time) bool {
	last := r.last.Load()
	if last == 0 {
		return false
	}
	if now.UnixNano() < last {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.UnixNano() >= r.last.Load() {
		clear(r.calls)
		clear(r.owners)
		r.n = 0
		r.last.Store(0)
	}
	return r.n > 0
}

// Known reports whether a call like this failed, whatever its body: if not, the body
// need not be hashed.
func (r *Repeats[O, C, B, A]) Known(call C) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls[call]) > 0
}

// Failed remembers that a call failed for good, with its answer. Attempted is whether
// it was attempted this time, or only told of an earlier failure.
func (r *Repeats[O, C, B, A]) Failed(now time.Time, owner O, call C, body B, answer A, attempted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.find(now, call, body)
	if f == nil {
		if r.n >= r.limit {
			r.evict()
		}
		f = &failedCall[O, C, B, A]{owner: owner, call: call, body: body, failed: now, seen: now}
		if r.owners[owner] == nil {
			r.owners[owner] = list.New()
		}
		f.place = r.owners[owner].PushBack(f)
		r.calls[call] = append(r.calls[call], f)
		r.n++
	}
	if attempted {
		f.failed, f.answer = now, answer
	}
	f.repeats++
	f.keep(now)
	r.last.Store(max(r.last.Load(), f.until.UnixNano()))
}

// Take reports whether the call is the repeat of one that failed, with the answer of
// that one and how long ago its last attempt failed. The next one is another repeat
// only after another failure.
func (r *Repeats[O, C, B, A]) Take(now time.Time, call C, body B) (answer A, ago time.Duration, repeat bool) { //nolint:nonamedreturns // the names tell them apart
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.find(now, call, body)
	if f == nil || f.repeats == 0 {
		return answer, 0, false
	}
	f.repeats--
	f.keep(now)
	r.last.Store(max(r.last.Load(), f.until.UnixNano()))
	return f.answer, now.Sub(f.failed), true
}

// Succeeded forgets all calls like this one, whatever their bodies.
func (r *Repeats[O, C, B, A]) Succeeded(call C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.calls[call] {
		r.unlist(f)
	}
	delete(r.calls, call)
}

// Len is how many calls are remembered, those included whose time is over.
func (r *Repeats[O, C, B, A]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// keep lengthens the entry's life by what the caller's last wait suggests.
func (f *failedCall[O, C, B, A]) keep(now time.Time) {
	gap := max(now.Sub(f.seen), 0)
	f.seen = now
	life := min(max(repeatGaps*min(gap, repeatMax), RepeatTime), repeatMax)
	if until := now.Add(life); until.After(f.until) {
		f.until = until
	}
}

// find returns the entry, unless its time is over. Locked.
func (r *Repeats[O, C, B, A]) find(now time.Time, call C, body B) *failedCall[O, C, B, A] {
	for _, f := range r.calls[call] {
		if f.body != body {
			continue
		}
		if now.Before(f.until) {
			return f
		}
		r.drop(f)
		return nil
	}
	return nil
}

// evict drops the oldest entry of the owner that has most. Locked.
func (r *Repeats[O, C, B, A]) evict() {
	var most *list.List
	for _, l := range r.owners {
		if most == nil || l.Len() > most.Len() {
			most = l
		}
	}
	if most != nil {
		r.drop(most.Front().Value.(*failedCall[O, C, B, A]))
	}
}

// drop takes f out. Locked.
func (r *Repeats[O, C, B, A]) drop(f *failedCall[O, C, B, A]) {
	rest := r.calls[f.call][:0]
	for _, other := range r.calls[f.call] {
		if other != f {
			rest = append(rest, other)
		}
	}
	clear(r.calls[f.call][len(rest):])
	r.calls[f.call] = rest
	if len(rest) == 0 {
		delete(r.calls, f.call)
	}
	r.unlist(f)
}

// unlist takes f out of its owner's list. Locked.
func (r *Repeats[O, C, B, A]) unlist(f *failedCall[O, C, B, A]) {
	owned := r.owners[f.owner]
	owned.Remove(f.place)
	if owned.Len() == 0 {
		delete(r.owners, f.owner)
	}
	r.n--
}
