// Package redisserver runs a real Redis or Valkey for the tests that need one, and lets
// them stop it, pause it, and cut it off.
package redisserver

import (
	"net"
	"testing"
	"time"

	"outrigger/test/process"
)

// startTimeout bounds how long a server takes until it answers.
const startTimeout = 20 * time.Second

// Server is a redis-server on a loopback port, which keeps nothing on a disk: after a
// restart it is empty. Not safe for concurrent use.
type Server struct {
	// Addr is its host:port, the same after every restart.
	Addr string

	kind      Kind
	program   string
	directory string
	arguments []string
	running   *process.Process
}

// Start starts a Redis that ends with the test. Without redis-server the test is skipped,
// or fails: see process.Missing.
func Start(tb testing.TB) *Server {
	tb.Helper()
	return StartKind(tb, Redis)
}

// StartKind is Start for a server of any kind, with more arguments for it, as in its
// configuration file.
func StartKind(tb testing.TB, kind Kind, arguments ...string) *Server {
	tb.Helper()
	s := &Server{Addr: process.FreeAddress(tb), kind: kind, program: kind.program(tb), directory: tb.TempDir()}
	s.arguments = append([]string{
		"--save", "", "--appendonly", "no", "--enable-debug-command", "local",
	}, arguments...)
	s.Run(tb)
	return s
}

// Run starts the server again after Stop or Kill.
func (s *Server) Run(tb testing.TB) {
	tb.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		tb.Fatal(err)
	}
	s.running = process.Start(tb, nil, s.program, append(s.arguments, "--bind", host, "--port", port, "--dir", s.directory)...)
	late := time.Now().Add(startTimeout)
	for !s.answers(tb) {
		if time.Now().After(late) {
			tb.Fatalf("%s does not answer at %s\n%s", s.kind, s.Addr, s.running.Output())
		}
	}
}

// answers reports whether the server answers a PING, if only with the wish for a password.
func (s *Server) answers(tb testing.TB) bool {
	connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(tb.Context(), "tcp", s.Addr)
	if err != nil {
		return false
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(time.Second))
	if _, err := connection.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	var reply [5]byte
	_, err = connection.Read(reply[:])
	return err == nil && (string(reply[:]) == "+PONG" || string(reply[:]) == "-NOAU")
}

// Stop ends the server; what it had is gone.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if status := s.running.Stop(tb); status != 0 {
		tb.Errorf("%s ended with status %d", s.kind, status)
	}
}
