package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	"outrigger/test/process"
)

// These variables make this test binary a child: a proxy and nothing else.
const (
	roleVariable     = "BENCH_ROLE"
	upstreamVariable = "BENCH_UPSTREAM"

	// profileVariable is set by people: a directory for a CPU and a heap profile
	// of each child, ROLE.cpu and ROLE.heap, and of what is live when it is collected,
	// ROLE.live.
	profileVariable = "BENCH_PROFILE"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		status := m.Run()
		process.Remove()
		os.Exit(status)
	}
	if err := serve(role, os.Getenv(upstreamVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// reading is what a child has used since it started.
type reading struct {
	CPU     time.Duration // user and system
	Mallocs uint64
	Bytes   uint64 // allocated
	Live    uint64 // bytes of heap objects and stacks; after a collection if one was asked for
}

// A child answers each line on its standard input with a reading: "read", or
// "collect" for a reading after a garbage collection. It ends with its input.
func serve(role, upstream string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	handler, err := roles[role](target)
	if err != nil {
		return err
	}
	if directory := os.Getenv(profileVariable); directory != "" {
		stop, err := profile(filepath.Join(directory, role))
		if err != nil {
			return err
		}
		defer stop()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	_, _ = fmt.Fprintln(os.Stdout, listener.Addr())
	answers := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "collect" {
			runtime.GC()
			runtime.GC() // the first one only moves sync.Pool's content to its victim cache
			keepHeap(role)
		}
		if err := answers.Encode(read()); err != nil {
			return err
		}
	}
	return nil
}

// profile starts a CPU profile; stop ends it and writes the heap's.
func profile(path string) (func(), error) {
	cpu, err := os.Create(path + ".cpu")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = cpu.Close()
		if heap, err := os.Create(path + ".heap"); err == nil {
			_ = pprof.Lookup("allocs").WriteTo(heap, 0)
			_ = heap.Close()
		}
	}, nil
}

// keepHeap writes the profile of what is live, if profiles are wanted.
func keepHeap(role string) {
	directory := os.Getenv(profileVariable)
	if directory == "" {
		return
	}
	if live, err := os.Create(filepath.Join(directory, role+".live")); err == nil {
		_ = pprof.Lookup("heap").WriteTo(live, 0)
		_ = live.Close()
	}
}

func read() reading {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // EFAULT and EINVAL only
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return reading{
		CPU:     time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		Mallocs: memory.Mallocs,
		Bytes:   memory.TotalAlloc,
		Live:    memory.HeapAlloc + memory.StackInuse,
	}
}

// child is the parent's side of one.
type child struct {
	url     string
	pipe    io.Writer
	answers *json.Decoder
}

// discard makes exec connect the child's log to a pipe that is read, as it is in
// production, and not to /dev/null, where a write costs next to nothing.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func start(tb testing.TB, role, upstream string) *child {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	command := exec.Command(self) // it ends with its input, and so with this process
	command.Env = []string{
		roleVariable + "=" + role, upstreamVariable + "=" + upstream,
		profileVariable + "=" + os.Getenv(profileVariable),
		redisVariable + "=" + os.Getenv(redisVariable), limitVariable + "=" + os.Getenv(limitVariable),
	}
	command.Stderr = discard{}
	in, err := command.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		_ = command.Wait()
	})
	lines := bufio.NewReader(out)
	address, err := lines.ReadString('\n')
	if err != nil {
		tb.Fatalf("%s did not start: %v", role, err)
	}
	return &child{url: "http://" + address[:len(address)-1], pipe: in, answers: json.NewDecoder(lines)}
}

func (c *child) reading(tb testing.TB, how string) reading {
	tb.Helper()
	if _, err := fmt.Fprintln(c.pipe, how); err != nil {
		tb.Fatal(err)
	}
	var r reading
	if err := c.answers.Decode(&r); err != nil {
		tb.Fatal(err)
	}
	return r
}
