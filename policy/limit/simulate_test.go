package limit

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// origin is the simulations' first instant, a whole minute of the clock.
var origin = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// job is one request of a simulated load.
type job struct {
	Waiter
	at     time.Duration // arrival
	takes  time.Duration // how long the answer takes
	leaves time.Duration // how long after its arrival the caller goes away, 0 is never
	gone   bool          // it has
	waits  int           // how often it waited after a refusal that was not believed
}

// network is what lies between. A round trip takes rtt and up to jitter more.
type network struct {
	rtt, jitter time.Duration
	dials       bool // one connection per request in flight: a new one costs two round trips
	shares      bool // one connection for all: only the first ones wait for it
}

// simulation drives one limiter against one upstream, as the proxy would, in
// virtual time.
type simulation struct {
	limiter *Limiter
	up      *upstream
	net     network
	rnd     *rand.Rand
	now     time.Time
	events  events
	seq     int
	upAt    time.Time // when the shared connection is up
	timer   int       // number of the timer that counts
	idle    int       // idle connections
	jobs    map[*Waiter]*job
	changes []change
	// admitted is called at each admission, if set.
	admitted func(now time.Time, w *Waiter)
	// happens is told of all that happens to a job, if set.
	happens func(what happening, now time.Time, j *job)
	// backoff is what a job waits whose bare refusal is not believed. Without it all are.
	backoff func(n int) time.Duration
	// chances says that refusals which name a wait may be taken for chance.
	chances bool

	result result
}

// happening is what may happen to a job.
type happening string

const (
	joined     happening = "joined" // the queue
	admitted   happening = "admitted"
	let        happening = "let" // through, by the upstream
	refused    happening = "refused"
	turnedAway happening = "turned away"
	left       happening = "left"
)

// change is something that happens to the upstream.
type change struct {
	at time.Duration
	do func(now time.Time, u *upstream)
}

// result is what came of it.
type result struct {
	ok, refused, turnedAway int
	late                    int           // admitted after their deadline
	last                    time.Duration // when the upstream accepted the last one
	end                     time.Duration // when its answer came
	accepted                []time.Duration
	refusedAt               []time.Duration
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || (e[i].at.Equal(e[j].at) && e[i].seq < e[j].seq)
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func (s *simulation) in(d time.Duration, do func()) {
	s.seq++
	heap.Push(&s.events, event{s.now.Add(d), s.seq, do})
}

// run plays the jobs from start to until (or to the end of all, if that is 0).
func (s *simulation) run(jobs []*job, until time.Duration) result {
	start := s.now
	s.jobs = map[*Waiter]*job{}
	for _, j := range jobs {
		s.jobs[&j.Waiter] = j
		s.in(j.at, func() { s.enter(j) })
		if j.leaves > 0 {
			s.in(j.at+j.leaves, func() { s.leave(j) })
		}
	}
	for _, c := range s.changes {
		s.in(c.at, func() { c.do(s.now, s.up) })
	}
	for s.events.Len() > 0 {
		if until > 0 && s.events[0].at.Sub(start) > until {
			break
		}
		s.step()
	}
	return s.result
}

// step plays the next event.
func (s *simulation) step() {
	e := heap.Pop(&s.events).(event)
	s.now = e.at
	e.do()
}

func (s *simulation) enter(j *job) {
	d := s.limiter.Enter(s.now, &j.Waiter)
	switch d.Reason {
	case Admitted:
		s.send(j)
	case Queued:
		s.tell(joined, j)
		s.release()
	default:
		s.turnAway(j)
	}
}

// leave is what the proxy does when a caller has gone, or its time is over.
func (s *simulation) leave(j *job) {
	if j.gone {
		return
	}
	j.gone = true
	s.limiter.Leave(s.now, &j.Waiter)
	s.tell(left, j)
	s.release()
}

func (s *simulation) turnAway(j *job) {
	s.result.turnedAway++
	j.gone = true
	s.tell(turnedAway, j)
}

func (s *simulation) tell(what happening, j *job) {
	if s.happens != nil {
		s.happens(what, s.now, j)
	}
}

// release does what the proxy does after every call: admits, and re-arms the timer,
// which fires up to a millisecond late.
func (s *simulation) release() {
	s.limiter.Expel(s.now, func(w *Waiter, _ Decision) { s.turnAway(s.jobs[w]) })
	var ready []*Waiter
	next := s.limiter.Release(s.now, func(w *Waiter) { ready = append(ready, w) })
	for _, w := range ready {
		if w.late(s.now) {
			s.result.late++
		}
		s.send(s.jobs[w])
	}
	s.timer++
	if next.IsZero() {
		return
	}
	id := s.timer
	s.in(next.Sub(s.now)+s.jitter(time.Millisecond), func() {
		if id == s.timer {
			s.release()
		}
	})
}

func (s *simulation) jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(s.rnd.Int64N(int64(d)))
}

func (s *simulation) send(j *job) {
	if s.admitted != nil {
		s.admitted(s.now, &j.Waiter)
	}
	s.tell(admitted, j)
	var dial time.Duration
	switch {
	case s.net.dials && s.idle == 0:
		dial = 2 * (s.net.rtt + s.jitter(s.net.jitter))
	case s.net.dials:
		s.idle--
	case s.net.shares:
		if s.upAt.IsZero() {
			s.upAt = s.now.Add(2 * (s.net.rtt + s.jitter(s.net.jitter)))
		}
		dial = max(0, s.upAt.Sub(s.now))
	}
	s.in(dial, func() {
		if j.gone {
			s.idle++
			return // while it was dialled for
		}
		s.limiter.Sent(s.now, &j.Waiter)
		s.release()
		s.in((s.net.rtt+s.jitter(s.net.jitter))/2, func() { s.arrive(j) })
	})
}

func (s *simulation) arrive(j *job) {
	a := s.up.take(s.now, &j.Waiter)
	at := s.now.Sub(origin)
	back := (s.net.rtt + s.jitter(s.net.jitter)) / 2
	if a.ok {
		s.result.accepted = append(s.result.accepted, at)
		s.result.last = max(s.result.last, at)
		s.tell(let, j)
		s.in(back+j.takes, func() {
			s.idle++
			if j.gone {
				return
			}
			s.result.ok++
			s.result.end = max(s.result.end, s.now.Sub(origin))
			s.limiter.Answered(s.now, &j.Waiter, a.headers)
			s.release()
		})
		return
	}
	s.result.refused++
	s.result.refusedAt = append(s.result.refusedAt, at)
	s.tell(refused, j)
	s.in(back, func() {
		s.idle++
		if j.gone {
			return
		}
		if pause, own := s.own(a.refusal); own {
			s.in(max(pause, s.backoff(j.waits)), func() {
				if !j.gone {
					s.enter(j)
				}
			})
			j.waits++
			return
		}
		d := s.limiter.Refused(s.now, &j.Waiter, a.refusal)
		if d.Reason != Queued {
			s.turnAway(j)
		}
		s.release()
	})
}

// own reports whether a refusal is taken for its own request's trouble, and the wait that it names.
func (s *simulation) own(r Refusal) (time.Duration, bool) {
	switch {
	case s.backoff == nil:
		return 0, false
	case r.Bare():
		return 0, !s.limiter.Believes(s.now)
	case s.chances:
		return r.Hint, s.limiter.Chance(s.now, r)
	}
	return 0, false
}
