package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"outrigger/test/redisserver"

	goredis "github.com/redis/go-redis/v9"
)

// patient bounds a call in these tests, which is not about time.
const patient = 5 * time.Second

// onEveryKind runs the test on Redis and on Valkey.
func onEveryKind(t *testing.T, test func(t *testing.T, kind redisserver.Kind)) {
	for _, kind := range redisserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel() // these tests mostly wait
			test(t, kind)
		})
	}
}

// open returns the server of a URL and a client that is closed with the test.
func open(t *testing.T, raw string) (Server, goredis.UniversalClient) {
	t.Helper()
	s, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	client := s.Client()
	t.Cleanup(func() { _ = client.Close() })
	return s, client
}

// check is Check of a new client.
func check(t *testing.T, raw string) error {
	t.Helper()
	s, client := open(t, raw)
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	return Check(ctx, s.Name, client)
}

// expect wants an error with the reason, and its text to have the words and no password.
func expect(t *testing.T, err error, reason Reason, words ...string) {
	t.Helper()
	if ReasonOf(err) != reason {
		t.Fatalf("got %v, a %q, want a %q", err, ReasonOf(err), reason)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%q has the password", err)
	}
}

// eventually waits until the call succeeds.
func eventually(t *testing.T, what string, call func() error) {
	t.Helper()
	late := time.Now().Add(20 * time.Second)
	for {
		err := call()
		if err == nil {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// run sends commands to a server as its administrator.
func run(t *testing.T, server *redisserver.Server, commands ...string) {
	t.Helper()
	admin := goredis.NewClient(&goredis.Options{Addr: server.Addr, Protocol: 2})
	defer func() { _ = admin.Close() }()
	for _, command := range commands {
		var words []any
		for _, word := range strings.Fields(command) {
			words = append(words, word)
		}
		if err := admin.Do(t.Context(), words...).Err(); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
}

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

// respond serves the answers of a function to commands. An empty answer closes the connection.
func respond(t *testing.T, answer func(command []string) string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = connection.Close() }()
				for from := bufio.NewReader(connection); ; {
					command, err := readCommand(from)
					if err != nil {
						return
					}
					text := answer(command)
					if _, err := io.WriteString(connection, text); err != nil || text == "" {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func readCommand(from *bufio.Reader) ([]string, error) {
	var n int
	if _, err := fmt.Fscanf(from, "*%d\r\n", &n); err != nil {
		return nil, err
	}
	command := make([]string, n)
	for i := range command {
		var size int
		if _, err := fmt.Fscanf(from, "$%d\r\n", &size); err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(from, word); err != nil {
			return nil, err
		}
		command[i] = string(word[:size])
	}
	if n == 0 {
		return nil, errors.New("an empty command")
	}
	return command, nil
}
