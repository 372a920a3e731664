package ledger

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
)

// Duplicate is a client request whose work was done more than once.
type Duplicate struct {
	Identity Identity `json:"identity"`
	// Attempts is how many HTTP requests were made of it, Works how many were carried out.
	Attempts int `json:"attempts"`
	Works    int `json:"works"`
	// Entries are the IDs of the carried out ones that the ledger still holds, and
	// Objects what they made.
	Entries []uint64 `json:"entries"`
	Objects []string `json:"objects,omitempty"`
}

// Filter selects entries. The zero value selects all.
type Filter struct {
	// Path prefix, Method, Route, Fault (exact), Request (x-sim-request).
	Path, Method, Route, Fault, Request string
	// After is the ID after which entries are wanted.
	After uint64
	// Last keeps the newest so many of those; 0 keeps all.
	Last int
}

// Entries returns copies of the entries that the filter selects, oldest first.
func (l *Ledger) Entries(f Filter) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Entry{}
	for e := range l.all {
		if f.selects(e) {
			out = append(out, *e)
		}
	}
	if f.Last > 0 && len(out) > f.Last {
		out = out[len(out)-f.Last:]
	}
	return out
}

// Entry returns one entry, and whether the ledger still holds it.
func (l *Ledger) Entry(id uint64) (Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.find(id)
	if e == nil {
		return Entry{}, false
	}
	return *e, true
}

// Totals returns the counts by route.
func (l *Ledger) Totals() map[string]Total {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]Total, len(l.totals))
	for route, t := range l.totals {
		total := *t
		total.Statuses = maps.Clone(t.Statuses)
		out[route] = total
	}
	return out
}

// Requests returns how many requests arrived since New or Reset.
func (l *Ledger) Requests() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last - l.base
}

// Duplicates returns the client requests, other than reads, whose work was done
// more than once, in the order of their first work that the ledger still holds.
// Two intended calls with one body and no x-sim-request header look like one here.
func (l *Ledger) Duplicates() []Duplicate {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := map[Identity]*Duplicate{}
	for e := range l.all {
		id := e.Identity()
		known := l.known[id]
		if !e.Work || e.Method == http.MethodGet || e.Method == http.MethodHead || known == nil || known.works < 2 {
			continue
		}
		d := found[id]
		if d == nil {
			d = &Duplicate{Identity: id, Attempts: known.attempts, Works: known.works}
			found[id] = d
		}
		d.Entries = append(d.Entries, e.ID)
		if e.Object != "" {
			d.Objects = append(d.Objects, e.Object)
		}
	}
	out := make([]Duplicate, 0, len(found))
	for _, d := range found {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Duplicate) int { return cmp.Compare(a.Entries[0], b.Entries[0]) })
	return out
}

// all yields the entries held, oldest first. The caller holds the lock.
func (l *Ledger) all(yield func(*Entry) bool) {
	first := l.base + 1
	if l.last > l.base+uint64(l.size) {
		first = l.last - uint64(l.size) + 1
	}
	for id := first; id <= l.last; id++ {
		if e := l.find(id); e != nil && !yield(e) {
			return
		}
	}
}

func (f Filter) selects(e *Entry) bool {
	return e.ID > f.After &&
		len(e.Path) >= len(f.Path) && e.Path[:len(f.Path)] == f.Path &&
		(f.Method == "" || f.Method == e.Method) &&
		(f.Route == "" || f.Route == e.Route) &&
		(f.Fault == "" || f.Fault == e.Fault) &&
		(f.Request == "" || f.Request == e.Request)
}
