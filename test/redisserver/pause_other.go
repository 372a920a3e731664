//go:build !unix

package redisserver

import "testing"

// Pause skips the test: a process cannot be made to stand still here.
func (s *Server) Pause(tb testing.TB) {
	tb.Helper()
	tb.Skip("SKIPPED: a process cannot be paused on this system")
}

// Resume does nothing.
func (s *Server) Resume(testing.TB) {}
