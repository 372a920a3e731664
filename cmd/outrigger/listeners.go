package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Bounds of both listeners, against callers that are slow or many.
const (
	// readHeaderTimeout is for slow callers; a body may take as long as the request.
	readHeaderTimeout = 10 * time.Second
	// idleTimeout is longer than clients keep an idle connection (OkHttp: 5
	// minutes, Go 90 s, .NET 60 s, Node and httpx 5 s). A client that closes first
	// cannot send a request into a connection that is being closed here.
	idleTimeout = 5*time.Minute + 15*time.Second
	// firstBytePatience is as long for a connection that has carried nothing yet: in a burst, Go's
	// client opens more of them than it comes to use, and keeps the others.
	firstBytePatience = idleTimeout
	// adminIdleTimeout is short: the kubelet opens a connection for each probe, and Prometheus
	// opens another one where its own was closed.
	adminIdleTimeout = 10 * time.Second
	// adminWriteTimeout is Prometheus's own bound of a scrape (scrape_timeout).
	adminWriteTimeout = 10 * time.Second
	// maxHeaderBytes is far above what clients send (Node refuses 16 KiB, nginx 32)
	// and below what 100,000 headers take, at 4 bytes each the shortest.
	maxHeaderBytes = 128 << 10
	// maxStreams is per HTTP/2 connection; net/http's default of 250 would make an
	// app's burst wait in the client, where no deadline is announced.
	maxStreams = 2000
)

// listen opens address, and the other loopback address with 127.0.0.1 and localhost; variable is
// named in the error. Port 0 opens any free one.
func listen(ctx context.Context, variable, address string, log *slog.Logger) (net.Listener, error) {
	listener, err := listenBoth(ctx, address, log)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: the port is in use by another process; %s sets another one", address, variable)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s, set by %s: %w", address, variable, err)
	}
	return listener, nil
}

// newTrafficServer returns the server for the app. It has no write timeout:
// streams last as long as they last, and every wait in them has its own bound.
func newTrafficServer(handler http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		ConnContext:       withTarget,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          newErrorLog(log),
	}
}

// newAdminServer returns the server for operators and probes: short answers only.
func newAdminServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readHeaderTimeout,
		WriteTimeout:      adminWriteTimeout,
		IdleTimeout:       adminIdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          newErrorLog(log),
	}
}
