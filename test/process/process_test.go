package process

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestAProcessSeesOnlyTheEnvironmentItWasGiven(t *testing.T) {
	t.Setenv("OUTRIGGER_STRAY", "1")
	p := Start(t, []string{"GIVEN=yes"}, "env")
	if status := p.Wait(t); status != 0 {
		t.Fatalf("status %d", status)
	}
	if out := p.Output(); strings.Contains(out, "OUTRIGGER_") || !strings.Contains(out, "GIVEN=yes") {
		t.Errorf("environment is\n%s", out)
	}
}

func TestStopSendsTheSignalAndReportsTheStatus(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	if err := syscall.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	p := Start(t, nil, "sh", "-c", `trap 'echo ended; exit 7' TERM; echo >"$0"; while :; do sleep 0.01; done`, ready)
	if _, err := os.ReadFile(ready); err != nil { // blocks until the trap is set
		t.Fatal(err)
	}
	if status := p.Stop(t); status != 7 {
		t.Errorf("status %d, want the trap's 7", status)
	}
	if out := p.Output(); out != "ended\n" {
		t.Errorf("output %q", out)
	}
}

func TestReadyWaitsForStatus200(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	p := Start(t, nil, "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.01; done")
	p.Ready(t, server.URL)
	if asked.Load() != 3 {
		t.Errorf("asked %d times, want 3", asked.Load())
	}
}

func TestAFreeAddressIsGivenOnceAndNotByTheSystem(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		address := FreeAddress(t)
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		port := listener.Addr().(*net.TCPAddr).Port
		if seen[address] || port >= 32_768 || port < 1024 {
			t.Errorf("%s, given before: %t", address, seen[address])
		}
		seen[address] = true
	}
}

func TestRootHoldsTheMainModule(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil || !strings.HasPrefix(string(text), "module outrigger\n") {
		t.Errorf("%s: %.30s %v", root, text, err)
	}
}
