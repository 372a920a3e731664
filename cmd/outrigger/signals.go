package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
)

// errAborted says that the process was told twice to end.
var errAborted = errors.New("stopped at once by a second signal")

// watchSignals returns a context that ends at the first stop signal, or with
// parent; one that ends at the second signal, with errAborted as its cause; and a
// function that the caller must call once it needs neither.
func watchSignals(parent context.Context) (context.Context, context.Context, func()) {
	stop, cancelStop := context.WithCancel(parent)
	abort, cancelAbort := context.WithCancelCause(context.WithoutCancel(parent))
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, stopSignals...)
	go func() {
		for {
			select {
			case <-signals:
			case <-done:
				return
			}
			if stop.Err() != nil {
				cancelAbort(errAborted)
			}
			cancelStop()
		}
	}()
	return stop, abort, func() {
		signal.Stop(signals)
		close(done)
		cancelStop()
		cancelAbort(context.Canceled)
	}
}
