// Package ledger keeps the truth about the simulator: which requests arrived,
// what each was answered, and above all whether its work was done, which a client
// that lost the answer cannot know.
//
// The newest entries are kept in a ring of fixed size, and what is known about an
// identity (attempts, works) is dropped with its last entry, so memory is bounded;
// the totals are kept for ever.
package ledger

import (
	"sync"
	"time"
)

// DefaultSize is the number of entries that a ledger keeps unless told otherwise
// (about 20 MB).
const DefaultSize = 50_000

// Ledger is safe for concurrent use. Use New.
type Ledger struct {
	mu     sync.Mutex
	ring   []Entry // entry ID n lies at (n-base-1) % size
	size   int
	base   uint64 // the last ID before Reset
	last   uint64
	known  map[Identity]*history
	totals map[string]*Total
}

// history is what the entries in the ring tell of one client request.
type history struct {
	entries  int // in the ring
	attempts int
	works    int
}

// Total counts the requests of one route since the start.
type Total struct {
	Requests uint64 `json:"requests"`
	// Works is how many were carried out.
	Works uint64 `json:"works"`
	// Faults is how many had something done to them on purpose.
	Faults uint64 `json:"faults"`
	// Statuses counts the answers by status; 0 stands for none.
	Statuses map[int]uint64 `json:"statuses"`
}

// New returns an empty ledger that keeps the last size entries; 0 means DefaultSize.
func New(size int) *Ledger {
	if size <= 0 {
		size = DefaultSize
	}
	l := &Ledger{size: size}
	l.Reset()
	return l
}

// Reset forgets everything. Requests that are being served now will not appear.
func (l *Ledger) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring = nil
	l.base = l.last
	l.known = map[Identity]*history{}
	l.totals = map[string]*Total{}
}

// Record is the open entry of a request that is being served.
type Record struct {
	// ID of the entry.
	ID     uint64
	ledger *Ledger
	route  string
	began  time.Time
}

// Begin enters a request. Time, Credential, Method, Path, Route, Key and Request
// should be set.
func (l *Ledger) Begin(e Entry) Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.ID, e.Attempt = l.last, 1
	slot := l.slot(e.ID)
	l.evict(slot)
	*slot = e
	if id := e.Identity(); id != (Identity{}) {
		slot.Attempt = l.attempt(id)
	}
	l.total(e.Route).Requests++
	return Record{ID: e.ID, ledger: l, route: e.Route, began: e.Time}
}

// Read enters what the body told, and returns the attempt's ordinal. An identity that a header gave at Begin stays as it is.
func (r Record) Read(model string, stream bool, body string) int {
	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.find(r.ID)
	if e == nil {
		return 1
	}
	before := e.Identity()
	e.Model, e.Stream, e.Body = model, stream, body
	if after := e.Identity(); before == (Identity{}) && after != before {
		e.Attempt = l.attempt(after)
	}
	return e.Attempt
}

// Worked enters that the request has been carried out, at the moment it is true.
// It is called at most once.
func (r Record) Worked(object string) {
	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.ID <= l.base {
		return
	}
	l.total(r.route).Works++
	e := l.find(r.ID)
	if e == nil {
		return
	}
	e.Work, e.Object = true, object
	if known := l.known[e.Identity()]; known != nil {
		known.works++
	}
}

// Answers enters the outcome just before the client can see it, so that who has an
// answer finds it here too. It is called at most once; what is never answered has
// status 0.
func (r Record) Answers(status int, fault string) {
	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.ID <= l.base {
		return
	}
	t := l.total(r.route)
	t.Statuses[status]++
	if fault != "" {
		t.Faults++
	}
	if e := l.find(r.ID); e != nil {
		e.Status, e.Fault = status, fault
	}
}

// End enters that nothing more is sent. It is called at most once, after Answers.
func (r Record) End(now time.Time) {
	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.find(r.ID); e != nil {
		e.Done, e.Duration = true, now.Sub(r.began)
	}
}

// slot returns the place of a new entry, making the ring longer as far as it may.
func (l *Ledger) slot(id uint64) *Entry {
	at := int((id - l.base - 1) % uint64(l.size))
	if at >= len(l.ring) {
		longer := make([]Entry, min(l.size, max(64, 2*len(l.ring))))
		copy(longer, l.ring)
		l.ring = longer
	}
	return &l.ring[at]
}

// find returns the entry, or nil when the ring has let it go.
func (l *Ledger) find(id uint64) *Entry {
	if id <= l.base || id > l.last {
		return nil
	}
	e := &l.ring[int((id-l.base-1)%uint64(l.size))]
	if e.ID != id {
		return nil
	}
	return e
}

func (l *Ledger) evict(e *Entry) {
	id := e.Identity()
	known := l.known[id]
	if e.ID == 0 || known == nil {
		return
	}
	known.entries--
	if known.entries == 0 {
		delete(l.known, id)
	}
}

func (l *Ledger) attempt(id Identity) int {
	known := l.known[id]
	if known == nil {
		known = &history{}
		l.known[id] = known
	}
	known.entries++
	known.attempts++
	return known.attempts
}

func (l *Ledger) total(route string) *Total {
	t := l.totals[route]
	if t == nil {
		t = &Total{Statuses: map[int]uint64{}}
		l.totals[route] = t
	}
	return t
}
