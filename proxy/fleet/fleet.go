package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/policy/limit"
	"outrigger/policy/priority"
	"outrigger/proxy/admission"
	"outrigger/proxy/fleet/server"
	"outrigger/proxy/observe"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// timeout is how long an answer may take before the sidecar goes on alone.
	timeout = 50 * time.Millisecond
	// connectTime is how long the start waits for the server.
	connectTime = 250 * time.Millisecond
	// keep is for how long an account is kept that nobody uses: what was learned lasts a day.
	keep = 24 * time.Hour
)

// Fleet is this sidecar's part in a fleet. Safe for concurrent use.
type Fleet struct {
	server   server.Server
	client   goredis.UniversalClient
	eval     func(ctx context.Context, s *goredis.Script, keys []string, args ...any) ([]string, error)
	check    func(context.Context) error // whether the server can be used
	closed   bool                        // OUTRIGGER_FLEET_FAIL
	id       string
	recorder observe.Recorder
	started  time.Time

	health health
	beats  beats
	counts counts
	roll   roll

	refusals   refusals
	wakes      wakes
	end        context.CancelFunc
	ending     context.Context
	background sync.WaitGroup
}

// Open joins the fleet of a server. It waits for that for a moment only: a server that is not
// there is asked again and again. failClosed says that nothing is sent while it is away.
func Open(s server.Server, failClosed bool, recorder observe.Recorder) *Fleet {
	ctx, cancel := context.WithCancel(context.Background())
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails: see its doc
	f := &Fleet{
		server: s, client: s.Client(), closed: failClosed, id: hex.EncodeToString(id[:]), recorder: recorder, started: time.Now(),
		ending: ctx, end: cancel, counts: counts{queues: map[admission.Account]int{}},
	}
	f.eval = func(ctx context.Context, s *goredis.Script, keys []string, args ...any) ([]string, error) {
		reply, err := s.Run(ctx, f.client, keys, args...).StringSlice()
		if err != nil && server.ReasonOf(server.Explain(f.server.Name, err)) == server.Foreign {
			return f.replace(ctx, s, keys, args...)
		}
		return reply, err
	}
	f.check = func(ctx context.Context) error { return server.Check(ctx, s.Name, f.client) }
	_, _ = rand.Read(f.beats.secret[:])
	f.health.parts.Store(1)
	first, stop := context.WithTimeout(ctx, connectTime)
	defer stop()
	if err := f.connect(first, connectTime); err != nil {
		f.lost(err)
	}
	return f
}

// leave says that this sidecar is no member any more.
func (f *Fleet) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	names := memberNames()
	_ = f.client.ZRem(ctx, names[0], f.id).Err() // else it is forgotten after memberTime
	_ = f.client.HDel(ctx, names[1], f.id).Err()
}

// replace deletes keys that hold what is not ours, though their names are, and runs s again: what
// they held is told again by those who know it.
func (f *Fleet) replace(ctx context.Context, s *goredis.Script, keys []string, args ...any) ([]string, error) {
	observe.Changed(f.recorder, observe.ChangeFleet, "keys", slog.LevelWarn, "keys of the fleet held what is not the fleet's: they begin anew",
		slog.String("server", f.server.Name), slog.String("first", keys[0]))
	if err := f.client.Del(ctx, keys...).Err(); err != nil {
		return nil, err
	}
	return s.Run(ctx, f.client, keys, args...).StringSlice()
}

// Close leaves the fleet. What was leased and not used expires.
func (f *Fleet) Close() {
	f.end()
	f.beats.stop()
	f.wakes.close()
	f.background.Wait()
	f.leave()
	_ = f.client.Close()
}

// Apart returns in how many parts limits are divided while the server is away, 0 while it is
// there, and whether nothing is to be sent meanwhile.
func (f *Fleet) Apart() (int, bool) {
	parts := int(f.health.parts.Load())
	return parts, parts > 0 && f.closed
}

// elapsed is the time that the process has run, on its monotonic clock.
func (f *Fleet) elapsed() time.Duration { return time.Since(f.started) }

// counts are what status and metrics tell.
type counts struct {
	results [resultCount]atomic.Int64
	trip    histogram
	sent    atomic.Int64

	mu      sync.Mutex
	queues  map[admission.Account]int // how many wait
	sentAt  time.Duration             // when sent was read last,
	sentWas int64                     // and what it was
}

// asked takes in what a lease was asked for.
func (c *counts) asked(of admission.Account, a limit.Ask) {
	c.sent.Add(a.Sent[0])
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := a.Queue.From(priority.Low); n > 0 {
		c.queues[of] = n
	} else {
		delete(c.queues, of)
	}
}

// about is what this sidecar tells of itself.
func (f *Fleet) about() string {
	c, t := &f.counts, f.elapsed()
	c.mu.Lock()
	defer c.mu.Unlock()
	m := Member{}
	for _, n := range c.queues {
		m.Queue += n
	}
	sent := c.sent.Load()
	m.Rate = math.Round(10*float64(sent-c.sentWas)/max(t-c.sentAt, beatEach/2).Seconds()) / 10
	c.sentAt, c.sentWas = t, sent
	text, _ := json.Marshal(m) // cannot fail: numbers and a text
	return string(text)
}
