package redis

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/test/redisserver"
	"outrigger/test/storetest"

	goredis "github.com/redis/go-redis/v9"
)

// set changes settings of a Redis.
func set(t testing.TB, c *goredis.Client, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := c.ConfigSet(t.Context(), pairs[i], pairs[i+1]).Err(); err != nil {
			t.Fatal(pairs[i], err)
		}
	}
}

// refusals are the ways in which a Redis that answers refuses writes, each with its remedy.
var refusals = map[string]func(t *testing.T, c *goredis.Client, directory string) func(){
	"maxmemory": func(t *testing.T, c *goredis.Client, _ string) func() {
		set(t, c, "maxmemory", "1")
		return func() { set(t, c, "maxmemory", "0") }
	},
	"MISCONF": func(t *testing.T, c *goredis.Client, directory string) func() {
		set(t, c, "save", "3600 1")
		if err := os.RemoveAll(directory); err != nil {
			t.Fatal(err)
		}
		_ = c.Set(t.Context(), "theirs", "x", 0)
		_ = c.BgSave(t.Context())
		eventually(t, "saving fails", func() bool { return c.Set(t.Context(), "theirs", "x", 0).Err() != nil })
		return func() { set(t, c, "save", "") }
	},
	"READONLY": func(t *testing.T, c *goredis.Client, _ string) func() {
		if err := c.Do(t.Context(), "REPLICAOF", "127.0.0.1", "1").Err(); err != nil {
			t.Fatal(err)
		}
		return func() { c.Do(t.Context(), "REPLICAOF", "NO", "ONE") }
	},
	"NOREPLICAS": func(t *testing.T, c *goredis.Client, _ string) func() {
		set(t, c, "min-replicas-to-write", "1")
		return func() { set(t, c, "min-replicas-to-write", "0") }
	},
	"NOPERM": func(t *testing.T, c *goredis.Client, _ string) func() {
		if err := c.Do(t.Context(), "ACL", "SETUSER", "default", "-hset").Err(); err != nil {
			t.Fatal(err)
		}
		return func() { c.Do(t.Context(), "ACL", "SETUSER", "default", "+hset") }
	},
}

// Whatever Redis refuses to write, no create is claimed, so none is sent. What Redis knows
// stays known, and everything works again after the remedy.
func TestRedisThatRefusesWritesClaimsNoCreate(t *testing.T) {
	for name, begin := range refusals {
		t.Run(name, func(t *testing.T) {
			server := redisserver.Start(t)
			raw := goredis.NewClient(&goredis.Options{Addr: server.Addr})
			defer func() { _ = raw.Close() }()
			s := openShared(t, server.Addr, storetest.Roomy())
			done, noteError := storetest.NewCall(true), storetest.NewCall(true)
			if err := s.Finish(t.Context(), storetest.MustBegin(t, s, done, claims.Claimed), storetest.Created()); err != nil {
				t.Fatal(err)
			}
			held, nothing := storetest.MustBegin(t, s, storetest.NewCall(true), claims.Claimed), storetest.MustBegin(t, s, noteError, claims.Claimed)
			secret, err := s.HashKey(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			mend := begin(t, raw, raw.ConfigGet(t.Context(), "dir").Val()["dir"])
			for range 20 {
				call := storetest.NewCall(true)
				if claim, err := s.Begin(t.Context(), call); !errors.Is(err, claims.ErrFull) && !errors.Is(err, claims.ErrUnavailable) {
					t.Fatalf("got %v, %v, want ErrFull or ErrUnavailable", claim.State, err)
				}
			}
			_ = s.Finish(t.Context(), held, storetest.Created())
			_ = s.Release(t.Context(), nothing) // it surely did nothing

			// One that starts now knows no hash key but the one that is shared.
			other := openShared(t, server.Addr, storetest.Roomy())
			ctx, cancel := context.WithTimeout(t.Context(), 2*timeout)
			defer cancel()
			if got, err := other.HashKey(ctx); err == nil && got != secret {
				t.Error("another hash key")
			}
			if claim, err := other.Begin(ctx, storetest.NewCall(true)); err == nil {
				t.Errorf("another sidecar: %v", claim.State)
			}
			if claim, err := s.Begin(t.Context(), done); err == nil && claim.State != claims.Done {
				t.Errorf("what was done is %v", claim.State)
			}

			mend()
			for _, s := range []*Store{s, other} {
				eventually(t, "it claims again", is(t, s, storetest.NewCall(true), claims.Claimed))
				eventually(t, "what was done is", is(t, s, done, claims.Done))
				eventually(t, "what ended meanwhile did", is(t, s, held.Call, claims.Done))
			}
			eventually(t, "what did nothing is free", is(t, other, noteError, claims.Claimed))
			if got, err := s.HashKey(t.Context()); err != nil || got != secret {
				t.Errorf("another hash key, %v", err)
			}
		})
	}
}

// Without a hash key there is nothing to name calls by.
func TestRedisThatIsFullAtTheStartHasNoHashKey(t *testing.T) {
	server := redisserver.Start(t)
	raw := goredis.NewClient(&goredis.Options{Addr: server.Addr})
	defer func() { _ = raw.Close() }()
	set(t, raw, "maxmemory", "1")
	s := openShared(t, server.Addr, storetest.Roomy())
	for _, create := range []bool{true, false} {
		if claim, err := s.Begin(t.Context(), storetest.NewCall(create)); !errors.Is(err, claims.ErrFull) {
			t.Errorf("got %v, %v, want ErrFull", claim.State, err)
		}
	}
	if secret, err := s.HashKey(t.Context()); err == nil {
		t.Errorf("hash key %x, want none", secret)
	}
	set(t, raw, "maxmemory", "0")
	eventually(t, "it claims", is(t, s, storetest.NewCall(true), claims.Claimed))
}

// replyError is an error reply of Redis, as go-redis returns it.
type replyError string

func (r replyError) Error() string { return string(r) }

// RedisError marks it as a reply.
func (replyError) RedisError() {}

func TestRedisErrorsAreFullOrUnavailable(t *testing.T) {
	s := openLeased(t, "127.0.0.1:1", storetest.Roomy(), time.Minute)
	for want, texts := range map[error][]string{
		claims.ErrFull: {
			"OOM command not allowed when used memory > 'maxmemory'. script: x, on @user_script:8.",
			"ERR Error running script (call to f_0): @user_script:8: @user_script: 8: -OOM command not",
			"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
			"ERR Error running script (call to f_0): @user_script:8: -MISCONF Errors writing to the AOF",
		},
		claims.ErrUnavailable: {
			"READONLY You can't write against a read only replica.",
			"LOADING Redis is loading the dataset in memory",
			"CLUSTERDOWN The cluster is down",
			"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
			"NOREPLICAS Not enough good replicas to write.",
			"NOPERM User default has no permissions to run the 'evalsha' command",
			"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
			"ERR Error running script (call to f_0): Script killed by user with SCRIPT KILL...",
			"MOVED 1234 127.0.0.1:7001",
			"WRONGTYPE Operation against a key holding the wrong kind of value",
			"NOAUTH Authentication required.",
			"ERR something that no Redis says yet",
		},
	} {
		for _, text := range texts {
			err := s.classify(replyError(text))
			if !errors.Is(err, want) || errors.Is(err, claims.ErrFull) && errors.Is(err, claims.ErrUnavailable) {
				t.Errorf("%s: %v, want %v alone", text, err, want)
			}
		}
	}
}
