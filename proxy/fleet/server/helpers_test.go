package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
