package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes of the process.
const (
	exitOK    = 0
	exitError = 1 // failed at run time
	exitUsage = 2 // bad configuration or usage; nothing was started
)

// stopSignals ask the process to end: Ctrl-C, and SIGTERM from Kubernetes, Docker and systemd.
var stopSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM}

// run is the process as a function: it does what args say, which come without the
// program's name, and returns the exit code. It reads no other environment than
// environ. The end of ctx stops it as a signal would.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	name, rest := "serve", []string(nil)
	if len(args) > 0 {
		name, rest = args[0], args[1:]
	}
	for _, c := range commands() {
		if !c.is(name) {
			continue
		}
		if !c.takesArgs && len(rest) > 0 {
			if isHelp(rest[0]) {
				fmt.Fprint(stdout, usage())
				return exitOK
			}
			fmt.Fprintf(stderr, "outrigger: %s takes no arguments, not %q\n", name, rest[0])
			return exitUsage
		}
		return c.run(ctx, call{rest, environ, stdout, stderr})
	}
	fmt.Fprintf(stderr, "outrigger: no command %q; outrigger help lists them\n", name)
	return exitUsage
}

// interruptible ends f's context at the first stop signal. The second one then
// ends the process in the ordinary way.
func interruptible(ctx context.Context, f func(context.Context) int) int {
	ctx, stop := signal.NotifyContext(ctx, stopSignals...)
	defer stop()
	context.AfterFunc(ctx, stop)
	return f(ctx)
}
