//go:build unix

package redisserver

import (
	"syscall"
	"testing"
)

// Pause makes the server stand still, with its connections open.
func (s *Server) Pause(tb testing.TB) {
	tb.Helper()
	s.running.Signal(tb, syscall.SIGSTOP)
}

// Resume lets it go on, with what was sent to it meanwhile.
func (s *Server) Resume(tb testing.TB) {
	tb.Helper()
	s.running.Signal(tb, syscall.SIGCONT)
}
