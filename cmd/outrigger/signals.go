package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"outrigger/internal/filewatch"
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

// hangups gets a SIGHUP, from the first moment of the process. One that nobody takes, since
// nothing can be read anew or is just being read for the first time, waits.
var hangups = make(chan os.Signal, 1)

// outliveHangups has SIGHUP not end the process, from now on.
func outliveHangups() { signal.Notify(hangups, syscall.SIGHUP) }

// watch reloads at each SIGHUP, and when the file of a secret has changed, until ctx ends. It
// returns when the files are watched.
func (r *reloader) watch(ctx context.Context) {
	files := r.watchFiles()
	go func() {
		var changed <-chan struct{}
		if files != nil {
			defer files.Close()
			changed = files.Changed()
		}
		for {
			select {
			case <-hangups:
				r.reloadAll()
			case <-changed:
				r.reloadSecrets()
			case <-ctx.Done():
				return
			}
			r.follow(files)
		}
	}()
}

// watchFiles returns what watches the files of secrets, nil if they cannot be watched here.
func (r *reloader) watchFiles() *filewatch.Watcher {
	files, err := filewatch.New()
	if err != nil {
		r.tellUnwatched(err)
		return nil
	}
	r.follow(files)
	return files
}

// follow has the files watched that the configuration names now.
func (r *reloader) follow(files *filewatch.Watcher) {
	if files == nil {
		return
	}
	if err := files.Set(r.current().SecretFiles()); err != nil {
		r.tellUnwatched(err)
	}
}

func (r *reloader) tellUnwatched(err error) {
	r.log.Warn("the files of secrets are not all watched: SIGHUP has them read again", slog.Any("error", err))
}
