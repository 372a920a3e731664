package redisserver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"outrigger/test/process"
)

// StartSentinel starts a sentinel, of the same program, that watches s as the primary called
// name. It alone decides about a failover, half a second after the primary is gone.
func (s *Server) StartSentinel(tb testing.TB, name string) *Server {
	tb.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		tb.Fatal(err)
	}
	sentinel := &Server{Addr: process.FreeAddress(tb), kind: s.kind, program: s.program, directory: tb.TempDir()}
	file := filepath.Join(sentinel.directory, "sentinel.conf") // it writes there what it learns
	content := fmt.Sprintf("sentinel monitor %s %s %s 1\nsentinel down-after-milliseconds %s 500\nsentinel failover-timeout %s 2000\n",
		name, host, port, name, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	sentinel.arguments = []string{file, "--sentinel"}
	sentinel.Run(tb)
	return sentinel
}
