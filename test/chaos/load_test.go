package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// item is calls of one id, which are over.
type item struct {
	request request
	calls   []call
	over    time.Time
	file    string // what a content has to be, "" for others
}

// storm is the load, and what has come of it.
type storm struct {
	t        *testing.T
	base     string
	seed     uint64
	clients  []*http.Client
	upstream *witness

	count   atomic.Uint64 // of ids
	open    atomic.Int64  // calls in progress
	running sync.WaitGroup

	mu       sync.Mutex
	items    []item
	outcomes map[string]int
	wrong    map[string]int // by invariant; the first few of each are reported
}

func newStorm(t *testing.T, base string, seed uint64, upstream *witness) *storm {
	t.Helper()
	s := &storm{t: t, base: base, seed: seed, upstream: upstream, outcomes: map[string]int{}, wrong: map[string]int{}}
	for _, set := range []func(*http.Protocols, bool){(*http.Protocols).SetHTTP1, (*http.Protocols).SetUnencryptedHTTP2} {
		protocols := new(http.Protocols)
		set(protocols, true)
		s.clients = append(s.clients, &http.Client{Transport: &http.Transport{Protocols: protocols, MaxIdleConnsPerHost: 2000, DisableCompression: true}})
	}
	return s
}

// blow makes rate calls a second until stop is closed, however long each takes: but no more than
// crowd of them at once.
func (s *storm) blow(rate int, stop <-chan struct{}) {
	crowd := int64(5 * rate)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for last, owed := time.Now(), 0.0; ; {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			owed = min(owed+now.Sub(last).Seconds()*float64(rate), float64(rate))
			last = now
		}
		for ; owed >= 1 && s.open.Load() < crowd; owed-- {
			s.one()
		}
	}
}

// one makes the next call.
func (s *storm) one() {
	n := s.count.Add(1)
	random := rand.New(rand.NewPCG(s.seed, n))
	s.open.Add(1)
	s.running.Go(func() {
		defer s.open.Add(-1)
		k := drawKind(random)
		r := draw(random, k, fmt.Sprintf("%s-%d", k, n))
		client := s.clients[0]
		if random.IntN(4) == 0 {
			client = s.clients[1]
		}
		if k == keyed {
			s.ends(item{request: r, calls: s.byKey(random, client, r)})
			return
		}
		c := r.make(client, s.base, leaving(random)).done()
		s.ends(item{request: r, calls: []call{c}})
		if id := object(c.text); k == upload && c.err == nil && c.status == http.StatusOK && id != "" {
			again := request{
				id: "content-" + r.id, kind: content, method: http.MethodGet,
				path: "/v1/files/" + id + "/content", caller: r.caller,
			}
			s.ends(item{request: again, calls: []call{again.make(client, s.base, 0).done()}, file: r.file})
		}
	})
}

// leaving is after how long a caller leaves, 0 for those that stay.
func leaving(random *rand.Rand) time.Duration {
	if random.IntN(10) > 0 {
		return 0
	}
	most := 40
	if random.IntN(3) == 0 {
		most = 1500
	}
	return time.Duration(1+random.IntN(most)) * time.Millisecond
}

// keyTime is how long a key's callers come again: less than answers are kept (OUTRIGGER_IDEMPOTENCY_TTL),
// with all that a call may take.
const keyTime = 20 * time.Second

// byKey makes the calls of one key: some at once, some of whom leave, and then one after the other
// until the key has an answer that stays.
func (s *storm) byKey(random *rand.Rand, client *http.Client, r request) []call {
	var mu sync.Mutex
	var all sync.WaitGroup
	var calls []call
	for range 1 + random.IntN(3) {
		begin, leave := time.Duration(random.IntN(1500))*time.Millisecond, leaving(random)
		if random.IntN(3) == 0 {
			leave = time.Duration(1+random.IntN(200)) * time.Millisecond
		}
		all.Go(func() {
			time.Sleep(begin)
			c := r.make(client, s.base, leave).done()
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, c)
		})
	}
	all.Wait()
	for began := time.Now(); time.Since(began) < keyTime; {
		time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
		c := r.make(client, s.base, 0).done()
		calls = append(calls, c)
		if c.err == nil && (c.status == http.StatusOK || c.code == unknownOutcome) {
			break
		}
	}
	for range 3 {
		calls = append(calls, r.make(client, s.base, 0).done())
	}
	return calls
}

func (s *storm) ends(i item) {
	i.over = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append(s.items, i)
}

// settling is how long after a call its last bytes may still be on the network.
const settling = 8 * time.Second

// judge judges what has settled, or all.
func (s *storm) judge(all bool) {
	s.upstream.read()
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.items[:0]
	for _, i := range s.items {
		if age := time.Since(i.over); !all && (age < settling || age < hung && !s.upstream.ended(i.request.id)) {
			kept = append(kept, i)
			continue
		}
		what, err := i.judge(s.upstream.take(i.request.id))
		s.outcomes[what]++
		if err == nil {
			continue
		}
		s.wrong[err.invariant]++
		if s.wrong[err.invariant] <= 5 {
			s.t.Errorf("%s: %v\n%s", i.request.id, err, i.describe())
		}
	}
	clear(s.items[len(kept):])
	s.items = kept
}

// quiet waits until no call is in progress, and hangs up.
func (s *storm) quiet() {
	s.running.Wait()
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}
