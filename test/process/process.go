package process

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Bounds on a process that does not do as it should.
const (
	readyTimeout = 30 * time.Second
	stopTimeout  = 40 * time.Second // over the default drain
)

// Process is a running program. Use Start. Safe for concurrent use.
type Process struct {
	command *exec.Cmd
	output  output
	ended   chan struct{} // closed when it has ended
	failure error         // what Wait returned; valid once ended is closed
}

// Start runs the command with the environment given and nothing else of this
// process's own but PATH, so that no proxy or OUTRIGGER_* variable of the machine
// reaches it. When the test ends, the process gets SIGTERM unless it has ended
// already, must then end with status 0, and its output is logged if the test failed.
func Start(tb testing.TB, environment []string, name string, arguments ...string) *Process {
	tb.Helper()
	p := &Process{ended: make(chan struct{})}
	// Not the test's context: it ends before the cleanups, and would kill.
	ctx, cancel := context.WithCancel(context.Background())
	p.command = exec.CommandContext(ctx, name, arguments...)
	p.command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GORACE=halt_on_error=1 atexit_sleep_ms=50"}, environment...)
	p.command.Stdout = &p.output
	p.command.Stderr = &p.output
	p.command.SysProcAttr = endWithParent()
	if err := p.command.Start(); err != nil {
		cancel()
		tb.Fatal(err)
	}
	go func() {
		p.failure = p.command.Wait()
		close(p.ended)
	}()
	tb.Cleanup(func() {
		defer cancel()
		select {
		case <-p.ended: // the test ended it, and looked at its status if it cared
		default:
			if status := p.Stop(tb); status != 0 {
				tb.Errorf("%s ended with status %d", name, status)
			}
		}
		if tb.Failed() {
			tb.Logf("output of %s %q:\n%s", name, arguments, p.Output())
		}
	})
	return p
}

// Ready waits until a GET of url answers 200, and fails the test when the process
// ends first or does not get there in time.
func (p *Process) Ready(tb testing.TB, url string) {
	tb.Helper()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	late := time.After(readyTimeout)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		if status := get(client, url); status == http.StatusOK {
			return
		}
		select {
		case <-p.ended:
			tb.Fatalf("ended before it was ready: %v\n%s", p.failure, p.Output())
		case <-late:
			tb.Fatalf("not ready at %s after %v\n%s", url, readyTimeout, p.Output())
		case <-again.C:
		}
	}
}

func get(client *http.Client, url string) int {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0
	}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// Signal sends a signal. One that has ended already is not an error.
func (p *Process) Signal(tb testing.TB, signal os.Signal) {
	tb.Helper()
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Fatal(err)
	}
}

// Stop sends SIGTERM, waits for the end and returns the exit status: 66 after a
// data race, -1 when a signal ended it. It kills one that does not stop in time.
func (p *Process) Stop(tb testing.TB) int {
	tb.Helper()
	p.Signal(tb, syscall.SIGTERM)
	return p.Wait(tb)
}

// Wait waits for the end and returns the exit status, as Stop does.
func (p *Process) Wait(tb testing.TB) int {
	tb.Helper()
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		tb.Errorf("did not end within %v", stopTimeout)
		_ = p.command.Process.Kill()
		<-p.ended
	}
	return p.command.ProcessState.ExitCode()
}

// PID is the process's id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Output returns what it has written so far, standard output and error together.
func (p *Process) Output() string { return p.output.String() }

// output is a buffer that is written and read at the same time.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// given counts the ports that FreeAddress has tried.
var given atomic.Uint32

// Ports that FreeAddress chooses from: none that a system gives out by itself (from
// 32768 on in Linux, from 49152 on in others, RFC 6335 section 6), so that no connection
// and no other test's listener takes one before the process under test does.
const (
	firstPort = 12_000
	lastPort  = 32_000
	portsEach = 800 // from where one test binary begins to where the next one does
)

// FreeAddress returns a loopback address that was free a moment ago, never the same
// one twice. Test binaries that run at the same time look from different ports on, or one
// would now and then be given what another was about to listen at.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	const ports = uint32(lastPort - firstPort)
	for range ports {
		port := firstPort + int((given.Add(1)+uint32(os.Getpid())*portsEach)%ports)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		listener, err := net.Listen("tcp", address) //nolint:noctx // listening on loopback does not wait
		if err != nil {
			continue
		}
		_ = listener.Close()
		return address
	}
	tb.Fatal("no port is free")
	return ""
}
