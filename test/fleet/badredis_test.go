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
	overwrite := func(how func(kind string) []any) func(*testing.T, *rig) func() {
		return func(t *testing.T, g *rig) func() {
			t.Helper()
			client := g.redis.client(t)
			all := keys(t.Context(), t, client)
			if len(all) == 0 {
				t.Error("the fleet wrote no key")
			}
			for _, key := range all {
				kind := client.Type(t.Context(), key).Val()
				t.Logf("%s: a %s", key, kind)
				command := how(kind)
				client.Del(t.Context(), key)
				g.redis.tell(t, append([]any{command[0], key}, command[1:]...)...)
			}
			return func() {}
		}
	}
	another := overwrite(func(kind string) []any {
		if kind == "string" {
			return []any{"RPUSH", "foreign"}
		}
		return []any{"SET", "foreign"}
	})
	nonsense := overwrite(func(kind string) []any {
		switch kind {
		case "hash":
			return []any{"HSET", "level", "foreign", "v", "999", "limit", "-1", "nobody", "knows"}
		case "zset":
			return []any{"ZADD", "-inf", "foreign", "+inf", "also foreign"}
		case "list":
			return []any{"RPUSH", "foreign"}
		case "set":
			return []any{"SADD", "foreign"}
		default:
			return []any{"SET", "\x00\xfforeign"}
		}
	})
	for _, x := range []trouble{
		{name: "of another type", begin: another, lasts: 5 * time.Second},
		{name: "nonsense", begin: nonsense, lasts: 5 * time.Second},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			begin := x.begin
			x.begin = func(t *testing.T, g *rig) func() {
				t.Helper()
				before := make([]int, len(g.sidecars))
				for i, s := range g.sidecars {
					before[i] = len(s.Output())
				}
				end := begin(t, g)
				return func() {
					warned := false
					for i, s := range g.sidecars {
						warned = warned || s.warned(before[i])
					}
					if !warned {
						t.Error("no sidecar's log warns of what it found")
					}
					end()
				}
			}
			x.play(t)
		})
	}
}
