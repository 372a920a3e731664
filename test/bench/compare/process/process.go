package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// grace is how long a program has to end by itself.
const grace = 3 * time.Second

// Program is what to run. Env is added to a minimal environment.
type Program struct {
	Path string
	Args []string
	Env  []string
	Dir  string
	Addr string // host:port where it listens once it is ready
}

// Process is a running program.
type Process struct {
	command *exec.Cmd
	output  *tail
	ended   chan struct{}
	once    sync.Once
}

// starts has one thread start all programs: they are to die with this process, and
// Linux takes the end of the thread for the end of the process.
var starts = sync.OnceValue(func() chan func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// Start runs the program and waits until it accepts connections, at most for patience.
func Start(ctx context.Context, p Program, patience time.Duration) (*Process, error) {
	s := &Process{output: &tail{}, ended: make(chan struct{})}
	s.command = exec.Command(p.Path, p.Args...) //nolint:noctx // Stop ends the whole group
	s.command.Env = append(inherited(), p.Env...)
	s.command.Dir = p.Dir
	// A pipe that is read, as in production: a write to /dev/null costs next to nothing.
	s.command.Stdout, s.command.Stderr = s.output, s.output
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	failed := make(chan error)
	starts() <- func() { failed <- s.command.Start() }
	if err := <-failed; err != nil {
		return nil, err
	}
	go func() {
		_ = s.command.Wait()
		close(s.ended)
	}()
	if err := s.ready(ctx, p.Addr, patience); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(p.Path), err, s.output)
	}
	return s, nil
}

var errEnded = errors.New("it ended")

func (s *Process) ready(ctx context.Context, addr string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-s.ended:
			return errEnded
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on %s: %w", addr, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the program and its workers, and waits for it. It may be called again.
func (s *Process) Stop() {
	s.once.Do(func() {
		group := -s.command.Process.Pid
		_ = syscall.Kill(group, syscall.SIGTERM)
		select {
		case <-s.ended:
		case <-time.After(grace):
		}
		_ = syscall.Kill(group, syscall.SIGKILL)
		<-s.ended
	})
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 256

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-tailSize):]...)
	t.text = append(t.text[:0], t.text[max(0, len(t.text)-tailSize):]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
