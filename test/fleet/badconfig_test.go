package fleet

import (
	"bufio"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
	"outrigger/test/process"
)

// secret is the password in the URLs of these tests. No output may have it.
const secret = "hunter2-in-the-url"

// TestStart_WithAWrongURLIsAConfigurationError names the variable, says what is wrong, and
// shows no password.
func TestStart_WithAWrongURLIsAConfigurationError(t *testing.T) {
	for name, url := range map[string]string{
		"another scheme":         "http://user:" + secret + "@127.0.0.1:6379",
		"no scheme":              "127.0.0.1:6379",
		"no host":                "redis://",
		"a port that is none":    "redis://user:" + secret + "@127.0.0.1:99999",
		"a database that is not": "redis://user:" + secret + "@127.0.0.1:6379/first",
		"an unknown option":      "redis://user:" + secret + "@127.0.0.1:6379/0?no_such_option=1",
	} {
		t.Run(name, func(t *testing.T) {
			s := startSidecar(t, "http://127.0.0.1:9", "OUTRIGGER_REDIS_URL="+url)
			ended := make(chan int, 1)
			go func() { ended <- s.Wait(t) }()
			select {
			case status := <-ended:
				if status != 2 {
					t.Errorf("status %d, want 2", status)
				}
			case <-time.After(10 * time.Second):
				t.Errorf("it runs")
				s.Stop(t)
				<-ended
			}
			out := s.Output()
			t.Logf("it says: %s", out)
			if !strings.Contains(out, "OUTRIGGER_REDIS_URL") || strings.Contains(out, "no such variable") || strings.Contains(out, secret) {
				t.Errorf("it says:\n%s", out)
			}
		})
	}
}

// TestStart_WithARedisThatIsNoUseFailsNoRequest has fleets that never come together: each
// sidecar says why, and serves.
func TestStart_WithARedisThatIsNoUseFailsNoRequest(t *testing.T) {
	t.Run("a wrong password", func(t *testing.T) {
		r := startRedis(t, nil, "--requirepass", "right")
		useless(t, "redis://:"+secret+"@"+r.addr, "password")
	})
	t.Run("no password where one is needed", func(t *testing.T) {
		r := startRedis(t, nil, "--requirepass", "right")
		useless(t, "redis://"+r.addr, "password")
	})
	t.Run("a user who may do nothing", func(t *testing.T) {
		r := startRedis(t, nil)
		r.tell(t, "ACL", "SETUSER", "nobody", "on", ">"+secret, "~*", "+ping", "+hello", "+client", "+info")
		useless(t, "redis://nobody:"+secret+"@"+r.addr, "permission", "allow")
	})
	t.Run("nobody there", func(t *testing.T) {
		useless(t, "redis://:"+secret+"@"+process.FreeAddress(t), "unreachable", "reached", "refused")
	})
	t.Run("a server too old", func(t *testing.T) {
		useless(t, "redis://"+oldServer(t), "too old", "version")
	})
	t.Run("no Redis at all", func(t *testing.T) {
		useless(t, "redis://"+speaker(t, func(net.Conn, string) string { return "HTTP/1.1 400 Bad Request\r\n\r\n" }))
	})
	t.Run("silence", func(t *testing.T) {
		useless(t, "redis://"+speaker(t, func(net.Conn, string) string { return "" }))
	})
	t.Run("TLS where the server speaks none", func(t *testing.T) {
		r := startRedis(t, nil)
		useless(t, "rediss://"+r.addr, "tls", "slow")
	})
}

// useless starts two sidecars with the URL: calls succeed without much delay, and what
// each says in status and log has one of the words.
func useless(t *testing.T, url string, words ...string) {
	t.Helper()
	g := newRig(t, plan{
		upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}},
		sidecars: 2, url: url, environment: configured,
	})
	start := time.Now()
	answers := g.send(queues(call{label: "first"}, 5, 5))
	succeed(t, answers)
	g.most("seconds until ten calls are answered", last(answers, start, -1).Seconds(), 2)
	answers = g.send(queues(call{label: "burst"}, 30, 30))
	succeed(t, answers)
	cause := g.degraded(t, 3*time.Second)
	for _, s := range g.sidecars {
		out := s.Output()
		if !s.warned(0) {
			t.Errorf("its log does not warn:\n%s", out)
		}
		if len(words) > 0 && (!hasOne(cause, words) || !hasOne(out, words)) {
			t.Errorf("the cause %q or the log has none of %q:\n%s", cause, words, out)
		}
		if lines := strings.Count(out, "\n"); lines > 20 {
			t.Errorf("%d lines of log", lines)
		}
		if now, err := s.state(g.ctx); strings.Contains(out, secret) || strings.Contains(now.text, secret) {
			t.Errorf("the password shows (%v): %s\n%s", err, now.text, out)
		}
	}
}

func hasOne(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
			return true
		}
	}
	return false
}

// oldServer answers as Redis 5 does to those who ask for its version or speak RESP3, and
// takes every script for what it cannot do.
func oldServer(t *testing.T) string {
	t.Helper()
	const info = "# Server\r\nredis_version:5.0.14\r\nredis_mode:standalone\r\n"
	return speaker(t, func(_ net.Conn, command string) string {
		switch strings.ToLower(command) {
		case "ping":
			return "+PONG\r\n"
		case "info":
			return "$" + strconv.Itoa(len(info)) + "\r\n" + info + "\r\n"
		case "hello", "function", "fcall":
			return "-ERR unknown command `" + command + "`, with args beginning with: \r\n"
		case "eval", "evalsha", "evalsha_ro", "script":
			return "-ERR Error running script (call to f_0): @user_script:1: Write commands not allowed after non deterministic commands\r\n"
		case "client", "select", "auth", "readonly":
			return "+OK\r\n"
		default:
			return "-ERR unknown command `" + command + "`\r\n"
		}
	})
}

// speaker listens on a loopback port and answers each command with what says returns.
func speaker(t *testing.T, says func(from net.Conn, command string) string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
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
			go speak(connection, says)
		}
	}()
	return listener.Addr().String()
}

// speak reads commands as arrays of bulk strings, as every client sends them.
func speak(connection net.Conn, says func(from net.Conn, command string) string) {
	defer func() { _ = connection.Close() }()
	r := bufio.NewReader(connection)
	for {
		n, err := number(r, '*')
		if err != nil {
			return
		}
		var command string
		for i := range n {
			size, err := number(r, '$')
			if err != nil {
				return
			}
			text := make([]byte, size+2)
			for read := 0; read < len(text); {
				k, err := r.Read(text[read:])
				if err != nil {
					return
				}
				read += k
			}
			if i == 0 {
				command = string(text[:size])
			}
		}
		if _, err := connection.Write([]byte(says(connection, command))); err != nil {
			return
		}
	}
}

// number reads a line such as *3.
func number(r *bufio.Reader, sign byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, string(sign))))
	if err != nil || n < 0 || n > 1<<20 {
		return 0, strconv.ErrRange
	}
	return n, nil
}
