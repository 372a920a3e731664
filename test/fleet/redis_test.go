package fleet

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"outrigger/test/process"
)

// keepsData are the arguments of a server that has all its data again after a kill.
var keepsData = []string{"--appendonly", "yes", "--appendfsync", "always"}

// redis is a redis-server on a loopback port. Unless it keepsData it is empty after a kill.
type redis struct {
	addr string // the same after every start

	program     string
	arguments   []string
	environment []string
	running     *process.Process
}

// startRedis starts a server that ends with the test.
func startRedis(t *testing.T, environment []string, arguments ...string) *redis {
	t.Helper()
	name := cmp.Or(os.Getenv("OUTRIGGER_TEST_FLEET_SERVER"), "redis-server")
	program, err := exec.LookPath(name)
	if err != nil {
		process.Missing(t, "needs %s on PATH (make redis fetches it on Debian)", name)
	}
	r := &redis{addr: process.FreeAddress(t), program: program, environment: environment}
	host, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		t.Fatal(err)
	}
	r.arguments = append([]string{
		"--bind", host, "--port", port, "--dir", t.TempDir(), "--save", "", "--enable-debug-command", "local",
	}, arguments...)
	r.start(t)
	return r
}

// start starts the server, the first time or after a kill, and waits until it answers.
func (r *redis) start(t *testing.T) {
	t.Helper()
	r.running = process.Start(t, r.environment, r.program, r.arguments...)
	_, ok := within(t.Context(), 20*time.Second, func() bool {
		connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.addr)
		if err != nil {
			return false
		}
		_ = connection.Close()
		err = r.client(t).Ping(t.Context()).Err()
		return err == nil || goredis.HasErrorPrefix(err, "NOAUTH")
	})
	if !ok {
		t.Fatalf("redis-server does not answer at %s\n%s", r.addr, r.running.Output())
	}
}

// kill ends the server as kill -9 does.
func (r *redis) kill(t *testing.T) {
	t.Helper()
	r.running.Signal(t, syscall.SIGKILL)
	r.running.Wait(t)
}

// client returns a client that ends with the test.
func (r *redis) client(t *testing.T) *goredis.Client {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: r.addr, MaxRetries: -1, DisableIdentity: true, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// tell sends a command that must succeed.
func (r *redis) tell(t *testing.T, command ...any) {
	t.Helper()
	if err := r.client(t).Do(t.Context(), command...).Err(); err != nil {
		t.Fatalf("%v: %v", command, err)
	}
}

// fill writes others' data until the server takes no more.
func (r *redis) fill(t *testing.T) {
	t.Helper()
	client := r.client(t)
	used, err := client.InfoMap(t.Context(), "memory").Result()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("full at 1 MB, used before: %s", used["Memory"]["used_memory_human"])
	r.tell(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	r.tell(t, "CONFIG", "SET", "maxmemory", "1mb")
	for i := range 10_000 {
		if err := client.Set(t.Context(), fmt.Sprint("others:", i), make([]byte, 1024), 0).Err(); err != nil {
			return
		}
	}
	t.Fatal("the server is not full")
}

// keys returns every key there is.
func keys(ctx context.Context, t *testing.T, client *goredis.Client) []string {
	t.Helper()
	var all []string
	each := client.Scan(ctx, 0, "*", 1000).Iterator()
	for each.Next(ctx) {
		all = append(all, each.Val())
	}
	if err := each.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
