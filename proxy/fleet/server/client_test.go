package server

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
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
	for name, base := range map[string]string{"single": "redis://", "cluster": "redis+cluster://"} {
		t.Run(name, func(t *testing.T) {
			var runs atomic.Int64
			var address string
			address = respond(t, func(command []string) string {
				switch strings.ToLower(command[0]) {
				case "cluster":
					host, port, _ := net.SplitHostPort(address)
					return fmt.Sprintf("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$%d\r\n%s\r\n:%s\r\n", len(host), host, port)
				case "eval", "evalsha":
					runs.Add(1)
					return ""
				}
				return "-ERR unknown command\r\n"
			})
			s, client := open(t, base+address)
			err := goredis.NewScript(`return 1`).Run(t.Context(), client, []string{Prefix + "n"}).Err()
			expect(t, Explain(s.Name, err), Unreachable, "closed the connection")
			if n := runs.Load(); n != 1 {
				t.Errorf("it was run %d times", n)
			}
		})
	}
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
