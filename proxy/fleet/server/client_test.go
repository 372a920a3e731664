package server

import (
	"context"
	"net"
	"testing"
	"time"

	"outrigger/test/redisserver"

	goredis "github.com/redis/go-redis/v9"
)

func TestClient_IsMadeWithoutAServer(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	_ = closed.Close()
	for _, raw := range []string{"redis://" + address, "redis+sentinel://" + address + "/m", "redis+cluster://" + address} {
		before := time.Now()
		s, client := open(t, raw)
		if took := time.Since(before); took > time.Second {
			t.Errorf("%s: took %v", raw, took)
		}
		expect(t, Check(t.Context(), s.Name, client), Unreachable, s.Name, "connection refused")
	}
	expect(t, check(t, "redis://no-such-host.invalid"), Unreachable, "network policy")
}

// A server that accepts connections and says nothing must not hold a call longer than its
// context, and not for ever without one.
func TestClient_KeepsDeadlines(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		server := redisserver.StartKind(t, kind)
		s, client := open(t, "redis://"+server.Addr)
		if err := Check(t.Context(), s.Name, client); err != nil {
			t.Fatal(err)
		}
		server.Pause(t)
		defer server.Resume(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		before := time.Now()
		expect(t, Check(ctx, s.Name, client), Slow, "in time")
		expect(t, Check(t.Context(), s.Name, client), Slow)
		if took := time.Since(before); took > patient {
			t.Errorf("two calls took %v", took)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		expect(t, Check(gone, s.Name, client), Canceled)
	})
}

// A script is run at most once per call: its reply may be what was lost.
func TestClient_SendsNothingTwice(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		single, cluster := redisserver.StartKind(t, kind), startCluster(t, kind)
		for name, raw := range map[string]string{"single": "redis://" + single.Addr, "cluster": "redis+cluster://" + cluster.Addr} {
			t.Run(name, func(t *testing.T) {
				s, client := open(t, raw)
				if err := Check(t.Context(), s.Name, client); err != nil {
					t.Fatal(err)
				}
				target := map[string]*redisserver.Server{"single": single, "cluster": cluster}[name]
				target.Pause(t)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
				defer cancel()
				script := goredis.NewScript(`return redis.call('INCR', KEYS[1])`)
				expect(t, Explain(s.Name, script.Eval(ctx, client, []string{Prefix + "n"}).Err()), Slow)
				target.Resume(t)
				eventually(t, "it was run", func() error { return client.Get(t.Context(), Prefix+"n").Err() })
				if n := client.Get(t.Context(), Prefix+"n").Val(); n != "1" {
					t.Errorf("it was run %s times", n)
				}
			})
		}
	})
}

// What the server forgot of scripts is sent again by itself.
func TestClient_RunsAScriptThatTheServerForgot(t *testing.T) {
	server := redisserver.Start(t)
	_, client := open(t, "redis://"+server.Addr)
	script := goredis.NewScript(`return 7`)
	for range 2 {
		if n, err := script.Run(t.Context(), client, []string{Prefix + "x"}).Int(); err != nil || n != 7 {
			t.Fatalf("got %d, %v", n, err)
		}
		run(t, server, "SCRIPT FLUSH")
	}
}
