package sim

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// listening is the simulator's own HTTP server and its listeners.
type listening struct {
	sim    *Sim
	server *http.Server

	mu      sync.Mutex
	running sync.WaitGroup
	open    map[net.Listener]string // by the address to listen on again
	refused []string                // addresses to listen on again
	refuse  bool
	closed  bool
}

// ErrClosed is returned by Start and Serve after Close.
var ErrClosed = errors.New("simulator is closed")

func (l *listening) init(s *Sim) {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	l.sim = s
	l.open = map[net.Listener]string{}
	// No timeouts: slow clients are the business of what is being tested.
	l.server = &http.Server{
		Handler: http.HandlerFunc(l.handle), ConnState: l.count,
		Protocols: &protocols, ErrorLog: log.New(io.Discard, "", 0),
	}
}

// count keeps account of the connections' goroutines, for Close. A new connection
// is reported by the goroutine of its listener, which is counted itself, so the
// count cannot have ended before.
func (l *listening) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		l.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		l.running.Done()
	}
}

// handle counts a request too: its connection may be taken over.
func (l *listening) handle(w http.ResponseWriter, r *http.Request) {
	l.running.Add(1)
	defer l.running.Done()
	l.sim.ServeHTTP(w, r)
}

// Start listens on addr ("127.0.0.1:0" chooses a port) and serves HTTP/1.1 and
// cleartext HTTP/2 in the background until Close. It returns the base URL for
// clients, "http://HOST:PORT/v1".
func (s *Sim) Start(addr string) (string, error) {
	listener, err := s.cfg.Listen(addr)
	if err != nil {
		return "", err
	}
	if err := s.Serve(listener); err != nil {
		_ = listener.Close()
		return "", err
	}
	return "http://" + listener.Addr().String() + "/v1", nil
}

// Serve serves the listener in the background until Close, which closes it.
// The error is ErrClosed, or that of the configuration.
func (s *Sim) Serve(listener net.Listener) error {
	if s.bad != nil {
		return s.bad
	}
	return s.listening.serve(listener)
}

func (l *listening) serve(listener net.Listener) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.open[listener] = listener.Addr().String()
	l.running.Go(func() { _ = l.server.Serve(listener) }) // ends when the listener is closed
	return nil
}

// Refuse closes the listeners of Start and Serve, so that new connections are
// refused, hangs up on idle ones, and resets new requests on the others; requests in
// progress are finished. With false it listens on the same addresses again. Config.Listen
// makes the listeners; its error is returned, and Refuse(false) can be tried again then.
func (s *Sim) Refuse(refuse bool) error {
	l := &s.listening
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.refuse == refuse {
		return nil
	}
	if refuse {
		l.refuse = true
		l.server.SetKeepAlivesEnabled(false)
		for listener, addr := range l.open {
			l.refused = append(l.refused, addr)
			delete(l.open, listener)
			_ = listener.Close()
		}
		return nil
	}
	return l.reopen()
}

func (l *listening) refuses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refuse
}

// reopen listens on the refused addresses again. The caller holds the lock.
func (l *listening) reopen() error {
	for len(l.refused) > 0 {
		listener, err := l.sim.cfg.Listen(l.refused[0])
		if err != nil {
			return err
		}
		l.refused = l.refused[1:]
		l.open[listener] = listener.Addr().String()
		l.running.Go(func() { _ = l.server.Serve(listener) })
	}
	l.refuse = false
	l.server.SetKeepAlivesEnabled(true)
	return nil
}

func (l *listening) shut() {
	l.mu.Lock()
	l.closed = true
	_ = l.server.Close()
	l.mu.Unlock()
	l.running.Wait()
}
