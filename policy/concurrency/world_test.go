package concurrency_test

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"outrigger/policy/concurrency"
)

// world is an upstream with places in front of which callers wait for a Limiter, in
// events on a clock of its own.
type world struct {
	places  func(now time.Time) int // how many it runs at once; nil is no bound
	chance  float64                 // of a refusal for no reason
	rate    float64                 // bare refusals of what exceeds this many per second; 0 is none
	serves  func() time.Duration    // how long a call runs
	way     time.Duration           // one way
	says    concurrency.Evidence
	limiter concurrency.Limiter

	rand   *rand.Rand
	now    time.Time
	start  time.Time
	events events
	seq    int

	queue   []time.Time // arrivals of those who wait
	wake    time.Time
	inside  int // running at the upstream
	tokens  float64
	tokenAt time.Time

	sent, refused, chanced, served int
	most                           int // that ran at once
	waits                          []time.Duration
	ends                           []time.Time
	refusals                       []time.Time
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newWorld(seed uint64) *world {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &world{
		rand: rand.New(rand.NewPCG(seed, 1)), now: start, start: start, tokenAt: start,
		way: time.Millisecond, says: concurrency.Capacity,
		serves: func() time.Duration { return time.Second },
	}
}

func (w *world) at(t time.Time, do func()) {
	w.seq++
	heap.Push(&w.events, event{t, w.seq, do})
}

func (w *world) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

// run plays until nothing happens any more, or until end.
func (w *world) run(end time.Duration) {
	for len(w.events) > 0 && !w.events[0].at.After(w.start.Add(end)) {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
}

// arrive lets n callers come at once, after d.
func (w *world) arrive(d time.Duration, n int) {
	w.at(w.start.Add(d), func() {
		for range n {
			w.queue = append(w.queue, w.now)
		}
		w.release()
	})
}

// release sends those who may go, and looks again when more may.
func (w *world) release() {
	for len(w.queue) > 0 && w.limiter.Snapshot(w.now).Running < w.limiter.Allowed(w.now) {
		came := w.queue[0]
		w.queue = w.queue[1:]
		w.send(came)
	}
	if len(w.queue) == 0 {
		return
	}
	next := w.limiter.Next(w.now)
	if next.After(w.now) && (!w.wake.After(w.now) || next.Before(w.wake)) {
		w.wake = next
		w.at(next, w.release)
	}
}

func (w *world) send(came time.Time) {
	w.sent++
	c := &concurrency.Call{}
	w.limiter.Start(w.now, c)
	w.after(w.way, func() {
		if w.refuses() {
			w.after(w.way, func() { w.back(came, c) })
			return
		}
		w.inside++
		w.most = max(w.most, w.inside)
		took := w.serves()
		w.after(took, func() { w.inside-- })
		w.after(took+w.way, func() {
			w.limiter.End(w.now, c, true)
			w.served++
			w.waits = append(w.waits, w.now.Sub(came)-took)
			w.ends = append(w.ends, w.now)
			w.release()
		})
	})
}

// back is a refusal that reaches the limiter.
func (w *world) back(came time.Time, c *concurrency.Call) {
	w.refused++
	w.refusals = append(w.refusals, w.now)
	if w.limiter.Refused(w.now, c, w.says, 0) {
		w.queue = append([]time.Time{came}, w.queue...)
	} else { // it is repeated after a wait of its own
		w.chanced++
		w.after(time.Duration(w.rand.Int64N(int64(time.Second))), func() {
			w.queue = append([]time.Time{came}, w.queue...)
			w.release()
		})
	}
	w.release()
}

func (w *world) refuses() bool {
	if w.rate > 0 {
		w.tokens = min(w.rate, w.tokens+w.rate*w.now.Sub(w.tokenAt).Seconds())
		w.tokenAt = w.now
		if w.tokens < 1 {
			return true
		}
		w.tokens--
	}
	return w.places != nil && w.inside >= w.places(w.now) || w.rand.Float64() < w.chance
}

// fixed are places that never change.
func fixed(n int) func(time.Time) int { return func(time.Time) int { return n } }
