// Package filewatch tells when files may have changed, however they are replaced: in place,
// by a rename, or, as Kubernetes replaces the files of a mounted Secret, by a change of a
// symbolic link on the way to them.
//
// It watches directories, and costs nothing while nothing happens in them.
package filewatch

import (
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long nothing must happen to the files before it is told: one who replaces
	// several does so one after the other, and one who writes in place empties a file first.
	settle = 200 * time.Millisecond
	// settleMost is after how long it is told in any case.
	settleMost = 2 * time.Second
)

// Watcher watches some files. Make it with New. It is safe for concurrent use.
type Watcher struct {
	events  *fsnotify.Watcher
	changed chan struct{}
	done    chan struct{}

	mu     sync.Mutex
	paths  []string
	places map[string]map[string]bool // directory -> names in it
}

// New returns a Watcher that watches nothing yet. Close it. The error tells why files cannot
// be watched here.
func New() (*Watcher, error) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &Watcher{events: events, changed: make(chan struct{}, 1), done: make(chan struct{}), places: map[string]map[string]bool{}}
	go w.run()
	return w, nil
}

// Set has these files watched, and no others, from now on. The error is that of the first
// directory that cannot be watched; the others are.
func (w *Watcher) Set(paths []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paths = paths
	return w.follow()
}

// Changed receives a value when some of the files may have changed. What happens until it is
// read is one change.
func (w *Watcher) Changed() <-chan struct{} { return w.changed }

// Close ends the watch.
func (w *Watcher) Close() {
	_ = w.events.Close() // it only releases
	<-w.done
}

// follow watches the directories that the files are in now. Locked.
func (w *Watcher) follow() error {
	places := map[string]map[string]bool{}
	for _, path := range w.paths {
		addPlaces(path, places)
	}
	var first error
	for directory := range places {
		// Again, if it is watched: it may be another one under the same name.
		if err := w.events.Add(directory); err != nil && first == nil {
			first = err
		}
	}
	for directory := range w.places {
		if places[directory] == nil {
			_ = w.events.Remove(directory) // it may be gone
		}
	}
	w.places = places
	return first
}

// concerns reports whether an event is about one of the files, or a link to it.
func (w *Watcher) concerns(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	directory, name := split(e.Name)
	return w.places[directory][name] || w.places[e.Name] != nil // or the directory itself went
}

// run tells of events once they have settled, until the watch is closed.
func (w *Watcher) run() {
	defer close(w.done)
	settled := time.NewTimer(settle)
	settled.Stop()
	var begun time.Time // of the events that were not told yet; zero if there are none
	for {
		select {
		case e, ok := <-w.events.Events:
			if !ok {
				return
			}
			if !w.concerns(e) {
				continue
			}
			if begun.IsZero() {
				begun = time.Now()
			}
			settled.Reset(min(settle, settleMost-time.Since(begun)))
		case _, ok := <-w.events.Errors: // some events are lost: look at the files
			if !ok {
				return
			}
			settled.Reset(settle)
		case <-settled.C:
			begun = time.Time{}
			w.mu.Lock()
			_ = w.follow() // what is gone may come back, and is then seen in its directory
			w.mu.Unlock()
			select {
			case w.changed <- struct{}{}:
			default: // the one before was not read yet
			}
		}
	}
}
