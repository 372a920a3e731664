package fleet

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/carrier"

	goredis "github.com/redis/go-redis/v9"
)

var sidecars = flag.Int("sidecars", 0, "simulate so many sidecars, in place of 1000 (100 with -short or the race detector)")

// size is how many sidecars are simulated. The limit grows with them: half a request a second
// for each.
func size() int {
	switch {
	case *sidecars > 0:
		return *sidecars
	case testing.Short() || raced:
		return 100
	}
	return 1000
}

// scriptCost is what a lease takes of a real server's one thread: see BenchmarkLease.
const scriptCost = 200 * time.Microsecond

// crowd is many sidecars at one account of one server, in virtual time.
type crowd struct {
	t     *testing.T
	redis *luaRedis
	up    *quota
	rate  float64
	key   admission.Key
	began time.Time

	mu    sync.Mutex
	calls map[string]map[int]int // of scripts, by name and second
	waits []time.Duration        // in the queues
	lost  int                    // how often a sidecar went on without the server
	all   []*member
	work  sync.WaitGroup

	ctx    context.Context // ends when a test has gone wrong
	failed atomic.Bool
}

// member is one sidecar, which has n requests from at on.
type member struct {
	n      int
	at     time.Duration
	took   time.Duration // until all were answered
	queues *admission.Queues
	fleet  *Fleet
}

func newCrowd(t *testing.T, rate float64) *crowd {
	t.Helper()
	c := &crowd{
		t: t, redis: newLuaRedis(t), rate: rate, key: admission.Key{Credential: carrier.Credential{1}, Model: "m"},
		calls: map[string]map[int]int{"lease": {}, "beat": {}},
		up:    &quota{rate: rate, burst: rate, level: rate, at: time.Now(), start: time.Now(), perSec: map[int]int{}},
	}
	c.redis.cost = scriptCost
	var end context.CancelFunc
	c.ctx, end = context.WithTimeout(t.Context(), 2*time.Minute) // all bounds are below
	t.Cleanup(end)
	return c
}

// join adds a sidecar.
func (c *crowd) join(n int, at time.Duration) *member {
	m := &member{n: n, at: at, queues: admission.NewQueues(limit.Settings{RPM: int(60 * c.rate), Learn: true, QueueMax: 100_000})}
	m.fleet = virtual(c.t, c.redis)
	m.fleet.client = reachable()
	ask := m.fleet.eval
	m.fleet.eval = func(ctx context.Context, s *goredis.Script, keys []string, args ...any) ([]string, error) {
		c.count(s)
		return ask(ctx, s, keys, args...)
	}
	m.queues.Fleet = m.fleet
	c.all = append(c.all, m)
	return m
}

func (c *crowd) count(s *goredis.Script) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := "lease"
	if s == beatScript {
		name = "beat"
	}
	c.calls[name][int(time.Since(c.began)/time.Second)]++
}

// begin begins, once all have joined.
func (c *crowd) begin() {
	for _, m := range c.all {
		_ = m.fleet.beat(c.t.Context()) // all know how many they are
	}
	c.began, c.calls = time.Now(), map[string]map[int]int{"lease": {}, "beat": {}}
}

// run has every sidecar do its requests all at once, each from its time on.
func (c *crowd) run() {
	c.begin()
	for _, m := range c.all {
		c.work.Go(func() {
			time.Sleep(m.at)
			var own sync.WaitGroup
			for range m.n {
				own.Go(func() { c.call(m) })
			}
			own.Wait()
			m.took = time.Since(c.began) - m.at
		})
	}
	c.end()
}

// steady has every sidecar send each requests per second at random moments.
func (c *crowd) steady(each float64, last time.Duration, random *rand.Rand) {
	c.begin()
	for _, m := range c.all {
		for at := random.ExpFloat64() / each; at < last.Seconds(); at += random.ExpFloat64() / each {
			m.n++
			c.work.Go(func() {
				time.Sleep(seconds(at))
				c.call(m)
			})
		}
	}
	c.end()
}

func (c *crowd) end() {
	c.work.Wait()
	for _, m := range c.all {
		m.fleet.stop()
		_ = m.fleet.client.Close()
		c.lost += m.fleet.health.lost
	}
}

// call is one request, until it is answered.
func (c *crowd) call(m *member) {
	now := time.Now()
	came := now
	var pl admission.Ticket
	q := m.queues.Take(c.key, true, now)
	pl.Take(q, limit.Waiter{Tokens: 1})
	pl.Taken = true
	if !q.Identified() {
		q.Identify([32]byte{1}, now)
	}
	for d := q.Enter(&pl, now); ; {
		if d.Reason != limit.Admitted && d.Reason != limit.Queued {
			c.t.Errorf("%v %v", d.Reason, d.Wait)
			break
		}
		if err := pl.Wait(c.ctx); err != nil {
			if c.failed.CompareAndSwap(false, true) {
				c.t.Errorf("a request of %d still waits after %v: %v", m.n, time.Since(came), err)
			}
			break
		}
		waited := time.Since(came)
		time.Sleep(time.Millisecond)
		now = time.Now()
		pl.Sent(now, pl.Turn)
		ok, wait, h := c.up.take(now)
		if ok {
			c.mu.Lock()
			c.waits = append(c.waits, waited)
			c.mu.Unlock()
			time.Sleep(150 * time.Millisecond)
			now = time.Now()
			m.queues.Prove(q, now)
			pl.Answered(now, limit.Told{Headers: h})
			break
		}
		time.Sleep(3 * time.Millisecond)
		d = q.Refused(&pl, time.Now(), limit.Refusal{Hint: wait, Headers: h})
	}
	pl.Free(time.Now())
}

// requests is how many there were.
func (c *crowd) requests() int {
	n := 0
	for _, m := range c.all {
		n += m.n
	}
	return n
}

// scripts returns how many of a name ran, and in the busiest second.
func (c *crowd) scripts(name string) (int, int) {
	total, peak := 0, 0
	for _, n := range c.calls[name] {
		total, peak = total+n, max(peak, n)
	}
	return total, peak
}

// fair is when a sidecar with n requests is done if all have equal parts of the limit until they
// are done.
func (c *crowd) fair(n int) time.Duration {
	total := 0
	for _, m := range c.all {
		total += min(m.n, n)
	}
	return seconds(float64(total) / c.rate)
}

// A thousand sidecars have requests: one in a hundred very many, one in ten some, the others
// two each. Others with two come while all wait.
func TestAThousandSidecars_ShareOneLimitFairly(t *testing.T) {
	for _, tt := range []struct {
		name   string
		n      int           // sidecars
		over   time.Duration // which they come
		lost   int           // how often each may go on without the server
		slower float64       // than the limit permits, at most
	}{
		{"in a second", size(), time.Second, 0, 1.08},
		{"at once", (size() + 2) / 3, 0, 1, 1.25}, // a thousand scripts take longer than one may
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { fairly(t, tt.n, tt.over, tt.lost, tt.slower) })
		})
	}
}

func fairly(t *testing.T, n int, over time.Duration, lost int, most float64) {
	c := newCrowd(t, float64(n)/2)
	if over == 0 {
		c.redis.cost = 2 * timeout / time.Duration(n)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		requests := 2
		switch {
		case i%100 == 0:
			requests = many
		case i%10 == 1:
			requests = some
		}
		c.join(requests, time.Duration(random.Float64()*float64(over)))
	}
	late := max(2, n/50)
	for i := range late {
		c.join(2, 5*time.Second+time.Duration(i)*10*time.Millisecond)
	}
	c.run()
	best := seconds(float64(c.requests()) / c.rate) // the limiter does not count on a full bucket
	took := time.Duration(0)
	by := map[int][]time.Duration{}
	for _, m := range c.all {
		took = max(took, m.at+m.took)
		k := m.n
		if m.at >= 5*time.Second {
			k = newcomer
		}
		by[k] = append(by[k], m.took)
	}
	leases, peak := c.scripts("lease")
	beats, _ := c.scripts("beat")
	perRequest, slower := float64(leases)/float64(c.requests()), took.Seconds()/best.Seconds()
	refused := float64(c.up.refused) / float64(c.up.sent)
	t.Logf("%d sidecars, %d requests at %.0f a second: %.2f s, %.3f x optimum, %.2f %% refused, %d went on without the server", len(c.all), c.requests(), c.rate, took.Seconds(), slower,
		100*refused, c.lost)
	t.Logf("%.2f leases per request, at most %d in a second, %.1f beats a second", perRequest, peak, float64(beats)/took.Seconds())
	for _, k := range []int{2, some, many, newcomer} {
		d := slices.Sorted(slices.Values(by[k]))
		t.Logf("%3d requests: done after %.2f to %.2f s, median %.2f, fair %.2f; Jain %.3f", k, d[0].Seconds(), d[len(d)-1].Seconds(), d[len(d)/2].Seconds(), c.fair(k).Seconds(), jain(d))
		if last, late := d[len(d)-1], 2*c.fair(k)+over; last > late {
			t.Errorf("sidecars with %d requests are done after %v, want at most %v", k, last, late)
		}
	}
	if d := by[many]; jain(d) < 0.99 {
		t.Errorf("among sidecars with equal work Jain's index is %.3f, want 0.99", jain(d))
	}
	if slower > most || refused > 0.03 || perRequest > 3 || peak > 5*n || c.lost > lost*len(c.all) {
		t.Errorf("want at most %.2f x optimum, 3 %% refused, 3 leases per request, 5 a second and sidecar, %d without the server", most, lost*len(c.all))
	}
}

// Requests of a sidecar, beside two.
const (
	many     = 300
	some     = 20
	newcomer = 2 + 1 // stands for two of those who come while all wait
)

// jain is the index of fairness of the speeds: 1 if all are equal.
func jain(d []time.Duration) float64 {
	sum, squares := 0.0, 0.0
	for _, x := range d {
		speed := 1 / x.Seconds()
		sum, squares = sum+speed, squares+speed*speed
	}
	return sum * sum / squares / float64(len(d))
}

// While the limit is not reached, a sidecar leases before its first request, and at most ten
// times a second.
func TestAThousandSidecars_CostLittleBelowTheLimit(t *testing.T) {
	for _, tt := range []struct {
		name           string
		members        int
		each, capacity float64
		last           time.Duration
		most           float64 // leases per request
	}{
		{"many quiet", (size() + 1) / 2, 0.4, 0.5, 10 * time.Second, 4},
		{"few busy", max(1, size()/200), 1000, 1250, 3 * time.Second, 0.1},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, tt.capacity*float64(tt.members))
				for range tt.members {
					c.join(0, 0)
				}
				c.steady(tt.each, tt.last, rand.New(rand.NewPCG(1, 2)))
				leases, peak := c.scripts("lease")
				beats, _ := c.scripts("beat")
				slices.Sort(c.waits)
				t.Logf("%d sidecars at %.1f requests a second each: %.3f leases per request, at most %d in a second, %.2f beats a second and sidecar", tt.members, tt.each,
					float64(leases)/float64(c.requests()), peak, float64(beats)/tt.last.Seconds()/float64(tt.members))
				t.Logf("waits: median %v, 99th percentile %v, worst %v; %.2f %% refused", c.waits[len(c.waits)/2], c.waits[len(c.waits)*99/100], c.waits[len(c.waits)-1],
					100*float64(c.up.refused)/float64(c.up.sent))
				if got := float64(leases) / float64(c.requests()); got > tt.most || c.up.refused > 0 || c.lost > 0 {
					t.Errorf("%.3f leases per request, want at most %.1f; %d refused and %d without the server, want none", got, tt.most, c.up.refused, c.lost)
				}
				if median, late := c.waits[len(c.waits)/2], c.waits[len(c.waits)*99/100]; median > 2*time.Millisecond || late > 500*time.Millisecond {
					t.Errorf("waits are %v, and %v at the 99th percentile, want 2ms and 500ms", median, late)
				}
			})
		})
	}
}
