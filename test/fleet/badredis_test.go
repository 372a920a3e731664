package fleet

import (
	"testing"
	"time"
)

// TestRedis_OfNoUseFailsNoRequest has a Redis that answers, and not as it should.
func TestRedis_OfNoUseFailsNoRequest(t *testing.T) {
	nothing := func() {}
	for _, x := range []trouble{
		{name: "read-only", lasts: 4 * time.Second, alone: true, begin: func(t *testing.T, g *rig) func() {
			t.Helper()
			g.redis.tell(t, "REPLICAOF", "127.0.0.1", "1")
			return func() { g.redis.tell(t, "REPLICAOF", "NO", "ONE") }
		}},
		{name: "full of others' data", lasts: 4 * time.Second, alone: true, begin: func(t *testing.T, g *rig) func() {
			t.Helper()
			g.redis.fill(t)
			return func() { g.redis.tell(t, "CONFIG", "SET", "maxmemory", "0") }
		}},
		{name: "writes paused", lasts: 4 * time.Second, alone: true, begin: func(t *testing.T, g *rig) func() {
			t.Helper()
			g.redis.tell(t, "CLIENT", "PAUSE", "60000", "WRITE")
			return func() { g.redis.tell(t, "CLIENT", "UNPAUSE") }
		}},
		{name: "asleep", lasts: 4 * time.Second, alone: true, begin: func(t *testing.T, g *rig) func() {
			t.Helper()
			return g.redis.sleep(t, "3.5", 1)
		}},
		{name: "slow", lasts: 5 * time.Second, alone: true, begin: func(t *testing.T, g *rig) func() {
			t.Helper()
			return g.redis.sleep(t, "0.2", 25)
		}},
		{name: "its scripts forgotten", lasts: time.Second, begin: func(t *testing.T, g *rig) func() {
			t.Helper()
			g.redis.tell(t, "SCRIPT", "FLUSH")
			return nothing
		}},
		{name: "emptied", lasts: time.Second, begin: func(t *testing.T, g *rig) func() {
			t.Helper()
			g.redis.tell(t, "FLUSHALL")
			return nothing
		}},
		{name: "connections cut", lasts: time.Second, begin: func(t *testing.T, g *rig) func() {
			t.Helper()
			g.redis.tell(t, "CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
			return nothing
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			x.play(t)
		})
	}
}

// sleep has the server sleep n times, and returns what waits for the end of it.
func (r *redis) sleep(t *testing.T, seconds string, n int) func() {
	t.Helper()
	client, done := r.client(t), make(chan struct{})
	go func() {
		defer close(done)
		for range n {
			if err := client.Do(t.Context(), "DEBUG", "SLEEP", seconds).Err(); err != nil {
				t.Errorf("DEBUG SLEEP: %v", err)
				return
			}
		}
	}()
	return func() { <-done }
}

// TestRedis_ForeignValuesUnderTheKeysFailNoRequest overwrites whatever the fleet has
// written: with values of another type, and with nonsense of the same.
func TestRedis_ForeignValuesUnderTheKeysFailNoRequest(t *testing.T) {
	for _, x := range []struct {
		trouble
		overwrite func(*testing.T, *redis, string)
		told      bool // the log must warn of it
	}{
		{trouble{name: "of another type"}, ofAnotherType, true},
		{trouble{name: "nonsense"}, nonsense, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			x.lasts = 5 * time.Second
			x.begin = func(t *testing.T, g *rig) func() {
				t.Helper()
				before := make([]int, len(g.sidecars))
				for i, s := range g.sidecars {
					before[i] = len(s.Output())
				}
				all := keys(t.Context(), t, g.redis.client(t))
				if len(all) == 0 {
					t.Error("the fleet wrote no key")
				}
				for _, key := range all {
					x.overwrite(t, g.redis, key)
				}
				return func() {
					warned := false
					for i, s := range g.sidecars {
						warned = warned || s.warned(before[i])
					}
					t.Logf("a log warns of it: %t", warned)
					if x.told && !warned {
						t.Error("no sidecar's log warns of what it found")
					}
				}
			}
			x.play(t)
		})
	}
}

func ofAnotherType(t *testing.T, r *redis, key string) {
	t.Helper()
	client := r.client(t)
	kind := client.Type(t.Context(), key).Val()
	t.Logf("%s is a %s", key, kind)
	client.Del(t.Context(), key)
	if kind == "string" {
		r.tell(t, "RPUSH", key, "foreign")
	} else {
		r.tell(t, "SET", key, "foreign")
	}
}

// nonsense keeps the type, and the names of fields and members.
func nonsense(t *testing.T, r *redis, key string) {
	t.Helper()
	client := r.client(t)
	words := []string{"foreign", "-1e300", "nan", "", "\x00\xff"}
	switch kind := client.Type(t.Context(), key).Val(); kind {
	case "hash":
		for i, field := range client.HKeys(t.Context(), key).Val() {
			r.tell(t, "HSET", key, field, words[i%len(words)])
		}
		r.tell(t, "HSET", key, "nobody", "knows")
	case "zset":
		for _, member := range client.ZRange(t.Context(), key, 0, -1).Val() {
			r.tell(t, "ZADD", key, "+inf", member)
		}
		r.tell(t, "ZADD", key, "-inf", "foreign")
	case "list":
		r.tell(t, "LPUSH", key, "foreign")
	case "set":
		r.tell(t, "SADD", key, "foreign")
	default:
		r.tell(t, "SET", key, "\x00\xff foreign")
	}
}
