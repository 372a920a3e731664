package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
)

// loopbacks listens on both loopback addresses under one port. Where the hosts file or the
// client puts ::1 first, http://localhost would else lead nowhere: not every client tries the
// other address (ollama/ollama-js#102).
type loopbacks struct {
	net.Listener // the first: its address is what is shown

	second   net.Listener
	accepted chan accepted
	closing  sync.Once
	done     chan struct{} // closed by Close
}

// accepted is what one Accept returned.
type accepted struct {
	conn net.Conn
	err  error
}

func newLoopbacks(first, second net.Listener) *loopbacks {
	l := &loopbacks{Listener: first, second: second, accepted: make(chan accepted), done: make(chan struct{})}
	go l.acceptAll(first)
	go l.acceptAll(second)
	return l
}

func (l *loopbacks) acceptAll(from net.Listener) {
	for {
		conn, err := from.Accept()
		select {
		case l.accepted <- accepted{conn, err}:
		case <-l.done:
			if conn != nil {
				_ = conn.Close()
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// Accept implements net.Listener.
func (l *loopbacks) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *loopbacks) Close() error {
	l.closing.Do(func() { close(l.done) })
	return errors.Join(l.Listener.Close(), l.second.Close())
}

// portTries is how often another free port is looked for that is free on both addresses.
const portTries = 10

// listenBoth opens address and, where that asks for it, the other loopback address. That the
// latter is not there, or taken, is no error: most clients try each in turn.
func listenBoth(ctx context.Context, address string, log *slog.Logger) (net.Listener, error) {
	var config net.ListenConfig
	for try := 1; ; try++ {
		first, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		other := otherLoopback(address, first.Addr())
		if other == "" {
			return first, nil
		}
		second, err := config.Listen(ctx, "tcp", other)
		told := []any{slog.String("address", other)}
		switch {
		case err == nil:
			log.Info("the other loopback address is served too", told...)
			return newLoopbacks(first, second), nil
		case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT), errors.Is(err, syscall.EPROTONOSUPPORT):
			log.Debug("the other loopback address is not there", told...)
		case errors.Is(err, syscall.EADDRINUSE) && isAnyPort(address) && try < portTries:
			_ = first.Close()
			continue
		case errors.Is(err, syscall.EADDRINUSE):
			log.Warn("another process has the port on the other loopback address: clients that take localhost for that one reach it instead", told...)
		default:
			log.Warn("cannot listen on the other loopback address", append(told, slog.String("error", err.Error()))...)
		}
		return first, nil
	}
}

// otherLoopback returns the address to listen on beside the one that was opened, "" for
// none: only 127.0.0.1 and localhost stand for both.
func otherLoopback(address string, opened net.Addr) string {
	host, _, _ := net.SplitHostPort(address)
	if host != "127.0.0.1" && !strings.EqualFold(host, "localhost") {
		return ""
	}
	ip, port, _ := net.SplitHostPort(opened.String())
	if ip == "::1" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return net.JoinHostPort("::1", port)
}

// isAnyPort reports whether address leaves its port open.
func isAnyPort(address string) bool {
	_, port, _ := net.SplitHostPort(address)
	return strings.Trim(port, "0") == ""
}
