package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"outrigger/internal/filewatch"
)

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
