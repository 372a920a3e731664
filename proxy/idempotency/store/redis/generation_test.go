package redis

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/redisserver"
	"outrigger/test/storetest"

	goredis "github.com/redis/go-redis/v9"
)

// openReal opens a store as a sidecar does, with the grace time for creates.
func openReal(t testing.TB, addr string) *Store {
	t.Helper()
	return openGraced(t, addr, storetest.Roomy(), leaseTime, graceTime)
}

// losses are the ways in which a Redis loses its data while sidecars run.
var losses = map[string]func(testing.TB, *redisserver.Server, *goredis.Client){
	"flushed":         func(t testing.TB, _ *redisserver.Server, c *goredis.Client) { c.FlushAll(t.Context()) },
	"restarted empty": func(t testing.TB, s *redisserver.Server, _ *goredis.Client) { s.Stop(t); s.Run(t) },
	"hash key evicted": func(t testing.TB, _ *redisserver.Server, c *goredis.Client) {
		c.Del(t.Context(), secretName)
	},
	"hash key overwritten": func(t testing.TB, _ *redisserver.Server, c *goredis.Client) {
		c.Set(t.Context(), secretName, strings.Repeat("x", 32), 0)
	},
	"hash key overwritten with nonsense": func(t testing.TB, _ *redisserver.Server, c *goredis.Client) {
		c.Set(t.Context(), secretName, "x", 0)
	},
	"hash key of another type": func(t testing.TB, _ *redisserver.Server, c *goredis.Client) {
		c.Del(t.Context(), secretName)
		c.LPush(t.Context(), secretName, "x")
	},
	"generation overwritten": func(t testing.TB, _ *redisserver.Server, c *goredis.Client) {
		c.Set(t.Context(), generationName, "nonsense", 0)
	},
	"all evicted but the generation": func(t testing.TB, _ *redisserver.Server, c *goredis.Client) {
		for _, key := range c.Keys(t.Context(), "*").Val() {
			if key != generationName {
				c.Del(t.Context(), key)
			}
		}
	},
}

// A sidecar that starts after the loss proposes a hash key of its own. What the others run and
// ran must not run again all the same.
func TestRedisThatLosesItsDataRunsNothingTwice(t *testing.T) {
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redisserver.Start(t)
			owner := openReal(t, server.Addr)
			running, done, lost, compute := storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(false)
			held := storetest.MustBegin(t, owner, running, claims.Claimed)
			storetest.MustBegin(t, owner, compute, claims.Claimed)
			if err := errors.Join(
				owner.Finish(t.Context(), storetest.MustBegin(t, owner, done, claims.Claimed), storetest.Created()),
				owner.Lose(t.Context(), storetest.MustBegin(t, owner, lost, claims.Claimed), 504),
			); err != nil {
				t.Fatal(err)
			}
			secret, err := owner.HashKey(t.Context())
			if err != nil {
				t.Fatal(err)
			}

			lose(t, server, owner.client)
			other := openReal(t, server.Addr)
			for call, want := range map[claims.Call][]claims.State{running: {claims.Running}, done: {claims.Done, claims.Unknown}, lost: {claims.Unknown}} {
				for _, s := range []*Store{other, owner} {
					eventually(t, fmt.Sprintf("it is %v", want), func() bool {
						claim, err := s.Begin(t.Context(), call)
						if err == nil && claim.State == claims.Claimed {
							t.Fatalf("claimed again, want %v", want)
						}
						return err == nil && (claim.State == want[0] || claim.State == want[len(want)-1])
					})
				}
			}
			for _, s := range []*Store{owner, other} {
				if again, err := s.HashKey(t.Context()); err != nil || again != secret {
					t.Errorf("another hash key, %v", err)
				}
			}
			if err := owner.Finish(t.Context(), held, storetest.Created()); err != nil {
				t.Error(err)
			}
			storetest.MustBegin(t, other, running, claims.Done)
			storetest.MustBegin(t, other, storetest.NewCall(true), claims.Claimed)
		})
	}
}

// By default Redis saves a snapshot now and then: after a crash the hash key is there, and the
// last claims are not.
func TestRedisWithAnOldSnapshotRunsNothingTwice(t *testing.T) {
	server := redisserver.Start(t)
	owner := openReal(t, server.Addr)
	storetest.MustBegin(t, owner, storetest.NewCall(true), claims.Claimed)
	if err := owner.client.Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	running, done := storetest.NewCall(true), storetest.NewCall(true)
	storetest.MustBegin(t, owner, running, claims.Claimed)
	if err := owner.Finish(t.Context(), storetest.MustBegin(t, owner, done, claims.Claimed), storetest.Created()); err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	server.Run(t)
	eventually(t, "it is unknown", is(t, owner, done, claims.Unknown))
	storetest.MustBegin(t, owner, running, claims.Running)
}

// On an empty Redis creates wait until the sidecars that may know more have resent it.
func TestRedisThatIsEmptyDelaysCreatesButNotComputes(t *testing.T) {
	server := redisserver.Start(t)
	s := openReal(t, server.Addr)
	compute := storetest.NewCall(false)
	eventually(t, "a compute is claimed", is(t, s, compute, claims.Claimed))
	generation := s.client.Get(t.Context(), generationName).Val()
	_, opens, _ := strings.Cut(generation, ";")
	opens, _, _ = strings.Cut(opens, ";")
	claim := storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed)
	if claim.Since.Before(micros(opens)) {
		t.Errorf("a create was claimed at %v, and creates wait until %v", claim.Since, micros(opens))
	}
	other := openReal(t, server.Addr)
	if begun := storetest.MustBegin(t, other, storetest.NewCall(true), claims.Claimed); other.client.Get(t.Context(), generationName).Val() != generation {
		t.Errorf("the next sidecar began another generation: %v", begun.Since)
	}
}

// A connection that breaks, a Redis that stalls and keys of other programs begin no generation.
func TestRedisThatLostNothingKeepsItsGeneration(t *testing.T) {
	server := redisserver.Start(t)
	s := openReal(t, server.Addr)
	call := storetest.NewCall(true)
	storetest.MustBegin(t, s, call, claims.Claimed)
	generation := s.client.Get(t.Context(), generationName).Val()
	for name, trouble := range map[string]func(){
		"connections":  func() { s.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no") },
		"stands still": func() { server.Pause(t); fails(t, s, storetest.NewCall(true)); server.Resume(t) },
		"other keys":   func() { s.client.Set(t.Context(), "theirs", "x", 0) },
		"said so":      func() { s.health.markDown(claims.ErrUnavailable) },
	} {
		trouble()
		eventually(t, name+": it goes on", is(t, s, call, claims.Running))
		if now := s.client.Get(t.Context(), generationName).Val(); now != generation {
			t.Errorf("%s: generation %s, want %s", name, now, generation)
		}
	}
}

// A sidecar that comes back late adopts the generation that has opened meanwhile.
func TestRedisGenerationThatOpenedIsAdopted(t *testing.T) {
	server := redisserver.Start(t)
	link := redisserver.NewLink(t, server.Addr)
	const grace = 50 * time.Millisecond
	late := openGraced(t, link.Addr, storetest.Roomy(), leaseTime, grace)
	storetest.MustBegin(t, late, storetest.NewCall(true), claims.Claimed)
	link.Cut()
	eventually(t, "it is cut off", func() bool { return fails(t, late, storetest.NewCall(true)) })
	raw := goredis.NewClient(&goredis.Options{Addr: server.Addr})
	defer func() { _ = raw.Close() }()
	if err := raw.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	newcomer := openGraced(t, server.Addr, storetest.Roomy(), leaseTime, grace)
	call := storetest.NewCall(true)
	storetest.MustBegin(t, newcomer, call, claims.Claimed)
	secret, err := newcomer.HashKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	link.Mend()
	eventually(t, "it knows the claim", is(t, late, call, claims.Running))
	for _, s := range []*Store{late, newcomer} {
		if got, err := s.HashKey(t.Context()); err != nil || got != secret {
			t.Errorf("another hash key, %v", err)
		}
	}
	storetest.MustBegin(t, newcomer, call, claims.Running)
}

func TestRedisThatEvictsIsWarnedAbout(t *testing.T) {
	for policy, want := range map[string]int{"allkeys-lru": 1, "volatile-ttl": 1, "noeviction": 0} {
		for _, limit := range []string{"100mb", "0"} {
			server := redisserver.Start(t)
			raw := goredis.NewClient(&goredis.Options{Addr: server.Addr})
			if err := errors.Join(raw.ConfigSet(t.Context(), "maxmemory", limit).Err(), raw.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(), raw.Close()); err != nil {
				t.Fatal(err)
			}
			var told lockedBuffer
			at := redisAt(server.Addr)
			s, err := Open(at, storetest.Roomy(), slog.New(slog.NewTextHandler(&told, nil)), storetest.Unbounded{})
			if err != nil {
				t.Fatal(err)
			}
			storetest.MustBegin(t, s, storetest.NewCall(false), claims.Claimed)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			n := want
			if limit == "0" {
				n = 0
			}
			if advice := Advice(t.Context(), at); (advice != "") != (n == 1) {
				t.Errorf("%s, maxmemory %s: check says %q", policy, limit, advice)
			}
			if got := strings.Count(told.String(), policy+"): a create whose key it forgets"); got != n {
				t.Errorf("%s, maxmemory %s: told %d times, want %d: %s", policy, limit, got, n, told.String())
			}
		}
	}
}

func TestRedisThatDoesNotAnswerGivesNoAdvice(t *testing.T) {
	if told := Advice(t.Context(), redisAt("127.0.0.1:1")); told != "" {
		t.Errorf("got %q", told)
	}
}

// lockedBuffer is a bytes.Buffer for concurrent use.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
