// Command compare puts Outrigger beside other proxies and gateways, on this machine and on
// the same loads, and writes the tables and plots of test/bench:
//
//	make compare
//
// It installs what it compares with into .tools, by test/prepare.sh, and skips what cannot be
// installed. All traffic stays on loopback, and all that it starts ends with it.
//
// As "compare bare LISTEN URL" and "compare upstream LISTEN" it is one of the processes that
// are measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"outrigger/test/bench/traffic"
)

func main() {
	err := run(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 3 && args[0] == "bare" {
		target, err := url.Parse(args[2])
		if err != nil {
			return err
		}
		return serve(args[1], traffic.Bare(target))
	}
	if len(args) == 2 && args[0] == "upstream" {
		return serve(args[1], traffic.Upstream(context.Background()))
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := descriptors(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return compare(ctx, o)
}

// serve is one of the processes that are measured.
func serve(addr string, handler http.Handler) error {
	listener, err := net.Listen("tcp", addr) //nolint:noctx // listening does not wait
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	return server.Serve(listener)
}

// descriptors raises the limit of open files to the most that is allowed, for this process
// and those that it starts.
func descriptors() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
