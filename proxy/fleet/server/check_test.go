package server

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"outrigger/test/redisserver"

	goredis "github.com/redis/go-redis/v9"
)

func TestCheck_AcceptsAServerAndLeavesNothing(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		server := redisserver.StartKind(t, kind)
		if err := check(t, "redis://"+server.Addr+"/2"); err != nil {
			t.Fatal(err)
		}
		_, client := open(t, "redis://"+server.Addr+"/2")
		eventually(t, "the key of the check is gone", func() error {
			if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 0 {
				return fmt.Errorf("%d keys, %w", n, err)
			}
			return nil
		})
		expect(t, check(t, "redis://"+server.Addr+"/99"), Database)
	})
}

func TestCheck_TellsAWrongPassword(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		server := redisserver.StartKind(t, kind, "--requirepass", "right")
		for _, user := range []string{"", ":s3cret@", "someone:s3cret@", "default:s3cret@"} {
			expect(t, check(t, "redis://"+user+server.Addr), Password, "correct them in the URL")
		}
		for _, user := range []string{":right@", "default:right@"} {
			if err := check(t, "redis://"+user+server.Addr); err != nil {
				t.Errorf("%s: %v", user, err)
			}
		}
	})
}

func TestCheck_AcceptsAUserWithTheAdvisedRuleAndTellsWhatAnotherMayNot(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		server := redisserver.StartKind(t, kind)
		run(t, server, "ACL SETUSER fleet on >s3cret "+Access)
		if err := check(t, "redis://fleet:s3cret@"+server.Addr+"/1"); err != nil {
			t.Errorf("with the rule that is advised: %v", err)
		}
		for _, lack := range []struct{ rule, told string }{
			{"-info", "command info"}, {"-evalsha", "command evalsha"}, {"-eval", "command eval"}, {"-set", "denied: "}, {"resetkeys ~other:*", "a key"},
		} {
			run(t, server, "ACL SETUSER fleet "+lack.rule)
			expect(t, check(t, "redis://fleet:s3cret@"+server.Addr), Permission, lack.told, Access)
			run(t, server, "ACL SETUSER fleet reset on >s3cret "+Access)
		}
	})
}

func TestAccess_IsTheRuleOfTheReadme(t *testing.T) {
	page, err := os.ReadFile("../../../cmd/outrigger/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), ">PASSWORD "+Access+"\n") {
		t.Errorf("cmd/outrigger/README.md does not say %q", Access)
	}
}

func TestCheck_TellsAReplica(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		primary := redisserver.StartKind(t, kind)
		host, port, _ := net.SplitHostPort(primary.Addr)
		replica := redisserver.StartKind(t, kind, "--replicaof", host+" "+port)
		err := check(t, "redis://"+replica.Addr)
		expect(t, err, ReadOnly, "redis+sentinel://")

		_, client := open(t, "redis://"+replica.Addr)
		eventually(t, "it refuses to write as a replica does", func() error {
			err := Explain("x", probe.Run(t.Context(), client, []string{probeKey}).Err())
			if ReasonOf(err) != ReadOnly {
				return fmt.Errorf("got %w", err)
			}
			return nil
		})
	})
}

func TestCheck_TellsAServerThatCannotTakeMore(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		server := redisserver.StartKind(t, kind)
		run(t, server, "CONFIG SET maxmemory 1")
		expect(t, check(t, "redis://"+server.Addr), Full)
		run(t, server, "CONFIG SET maxmemory 0", "CONFIG SET min-replicas-to-write 1")
		expect(t, check(t, "redis://"+server.Addr), Replicas)
	})
}

func TestExplain_TellsAForeignValueAndABusyServer(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		server := redisserver.StartKind(t, kind)
		s, client := open(t, "redis://"+server.Addr)
		ctx := t.Context()
		if err := client.Set(ctx, Prefix+"x", "foreign", 0).Err(); err != nil {
			t.Fatal(err)
		}
		script := goredis.NewScript(`return redis.call('HGET', KEYS[1], 'a')`)
		expect(t, Explain(s.Name, script.Run(ctx, client, []string{Prefix + "x"}).Err()), Foreign, "delete it")
		expect(t, Explain(s.Name, client.HGet(ctx, Prefix+"x", "a").Err()), Foreign)

		run(t, server, "CONFIG SET busy-reply-threshold 1")
		loop, err := net.Dial("tcp", server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = loop.Close() }()
		fmt.Fprintf(loop, "EVAL \"while true do end\" 0\r\n")
		eventually(t, "it is busy", func() error {
			err := Explain(s.Name, client.Get(ctx, Prefix+"y").Err())
			if ReasonOf(err) != Busy {
				return fmt.Errorf("got %w", err)
			}
			return nil
		})
		run(t, server, "SCRIPT KILL")
	})
}

// A server that is older than Redis 6 knows neither HELLO nor users.
func TestCheck_TellsAnOldServer(t *testing.T) {
	address := respond(t, func(command []string) string {
		switch strings.ToLower(command[0]) {
		case "info":
			info := "# Server\r\nredis_version:5.0.7\r\nrole:master\r\n"
			return fmt.Sprintf("$%d\r\n%s\r\n", len(info), info)
		case "auth":
			if len(command) > 2 {
				return "-ERR wrong number of arguments for 'auth' command\r\n"
			}
			return "+OK\r\n"
		default:
			return "-ERR unknown command `" + command[0] + "`, with args beginning with: `" + strings.Join(command[1:], "`, `") + "`\r\n"
		}
	})
	expect(t, check(t, "redis://"+address), Version, "it is 5.0.7", "Redis 6 or later")
	expect(t, check(t, "redis://:s3cret@"+address), Version, "it is 5.0.7")
	expect(t, check(t, "redis://user:s3cret@"+address), Version, "Redis 6 or later")
}

// Some servers repeat what was sent.
func TestCheck_RepeatsNoPasswordThatTheServerRepeats(t *testing.T) {
	address := respond(t, func(command []string) string {
		return "-ERR unknown command `" + command[0] + "`, with args beginning with: `" + strings.Join(command[1:], "`, `") + "`\r\n"
	})
	expect(t, check(t, "redis://user:s3cret@"+address), Other, "unknown command")
	web := respond(t, func(command []string) string { return "HTTP/1.1 400 " + strings.Join(command, " ") + "\r\n" })
	expect(t, check(t, "redis://user:s3cret@"+web), Other, "its answer cannot be read")
}
