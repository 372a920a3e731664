package fleet

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"outrigger/proxy/fleet/server"
)

// Results of leases, as metrics name them.
const (
	resultGranted  = iota // something may be sent
	resultWaiting         // others were first
	resultReturned        // nothing was wanted: what was not used went back, or something learned was told
	resultFailed          // the server did not answer
	resultCount
)

var resultNames = [resultCount]string{"granted", "waiting", "returned", "failed"}

// Status is what is known of the fleet.
type Status struct {
	// Server is where it is, without secrets, and ID which member this sidecar is.
	Server string `json:"server"`
	ID     string `json:"id"`
	// Degraded says that the server cannot be used: Since when, and by Reason and Cause why.
	// Parts is into how many parts each limit is divided meanwhile.
	Degraded bool      `json:"degraded"`
	Since    time.Time `json:"since,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	Cause    string    `json:"cause,omitempty"`
	Parts    int       `json:"parts,omitempty"`
	// Lost is how often the server could not be used any more.
	Lost int `json:"lost"`
	// MemberCount is how many leased in the last eight seconds, and Members who they are, at most
	// 100, the busiest first, as of at most a second ago: none if the server was not asked.
	MemberCount int      `json:"member_count"`
	Members     []Member `json:"members"`
	// Leases counts results, and RoundTrips how long they took.
	Leases     map[string]int64 `json:"leases"`
	RoundTrips RoundTrips       `json:"round_trips"`
}

// Member is one sidecar.
type Member struct {
	ID string `json:"id"`
	// Queue is how many wait there, Rate how many it sent per second lately, and Share which
	// part of all that is.
	Queue int     `json:"queue"`
	Rate  float64 `json:"rate"`
	Share float64 `json:"share"`
}

// RoundTrips are the exchanges with the server.
type RoundTrips struct {
	Count uint64  `json:"count"`
	Sum   float64 `json:"seconds"`
	// Buckets count those of at most so many seconds.
	Buckets map[float64]uint64 `json:"-"`
}

// mostMembers is how many a status lists.
const mostMembers = 100

// roll is who is there, as the server last said: many may look at a status, and often. The zero
// value is ready. Safe for concurrent use.
type roll struct {
	mu      sync.Mutex
	at      time.Time // of the answer; zero is none yet
	members []Member
}

// rollTime is how long an answer is good for.
const rollTime = time.Second

// read returns who is there, and asks if that is not known. An answer that did not come is kept
// like one, so that a slow server is not waited for at each look.
func (r *roll) read(ask func() []Member) []Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() || time.Since(r.at) >= rollTime {
		r.members = ask()
		r.at = time.Now()
	}
	return slices.Clone(r.members)
}

// Status returns what is known. With members it asks the server who is there, once a second at
// most.
func (f *Fleet) Status(members bool) Status {
	h := &f.health
	h.mu.Lock()
	s := Status{
		Server: f.server.Name, ID: f.id, Lost: h.lost, Parts: int(h.parts.Load()), MemberCount: int(f.beats.members.Load()), Members: []Member{},
		Leases: map[string]int64{}, RoundTrips: f.counts.trip.read(),
	}
	if h.cause != nil {
		s.Degraded, s.Since, s.Reason, s.Cause = true, h.since, string(server.ReasonOf(h.cause)), h.cause.Error()
	}
	h.mu.Unlock()
	for i, name := range resultNames {
		s.Leases[name] = f.counts.results[i].Load()
	}
	if members && !s.Degraded {
		s.Members = f.roll.read(f.members)
	}
	return s
}

// members asks the server who is there.
func (f *Fleet) members() []Member {
	ctx, cancel := context.WithTimeout(f.ending, timeout)
	defer cancel()
	all, err := f.client.HGetAll(ctx, memberNames()[1]).Result()
	if err != nil {
		return []Member{}
	}
	members, total := make([]Member, 0, len(all)), 0.0
	for id, text := range all {
		m := Member{}
		if json.Unmarshal([]byte(text), &m) != nil {
			continue
		}
		m.ID = id
		total += m.Rate
		members = append(members, m)
	}
	for i := range members {
		if total > 0 {
			members[i].Share = members[i].Rate / total
		}
	}
	slices.SortFunc(members, func(a, b Member) int {
		if a.Rate != b.Rate {
			if a.Rate > b.Rate {
				return -1
			}
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	return members[:min(len(members), mostMembers)]
}

// trip bounds, in seconds.
var tripBounds = [...]float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05}

// histogram counts durations. The zero value is ready. Safe for concurrent use.
type histogram struct {
	mu    sync.Mutex
	upTo  [len(tripBounds)]uint64
	count uint64
	sum   float64
}

func (h *histogram) add(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count++
	h.sum += d.Seconds()
	for i, bound := range tripBounds {
		if d.Seconds() <= bound {
			h.upTo[i]++
		}
	}
}

func (h *histogram) read() RoundTrips {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := RoundTrips{Count: h.count, Sum: h.sum, Buckets: map[float64]uint64{}}
	for i, bound := range tripBounds {
		r.Buckets[bound] = h.upTo[i]
	}
	return r
}
