package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/file/boltcheck"
	"outrigger/proxy/idempotency/store/quota"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long to wait for a file that another process has locked, such as one that
// is about to exit. bbolt itself would wait for ever.
const lockWait = time.Second

// Open opens the file, or makes it. Every error names it.
//
// A file that is damaged is refused and not changed: see package boltcheck. A file that other
// users can read is made private (Kubernetes volumes with an fsGroup come back readable by
// the group), and refused where that fails.
func Open(path string, limits claims.Limits, room claims.Room) (*Store, error) {
	f := &Store{path: path, limits: limits, room: room, flights: make(map[claims.Key]*flight), markers: quota.NewMarkers(limits.Bytes), writer: writer{
		requests: make(chan request), stop: make(chan struct{}), done: make(chan struct{}),
	}}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", claims.ErrUnavailable, f.name(), err)
	}
	go f.run()
	return f, nil
}

// name is the store as the operator writes it.
func (f *Store) name() string { return "file:" + f.path }

func (f *Store) open() error {
	path := f.path
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeFile(path); err != nil {
			return fmt.Errorf("making it: %w", err)
		}
	}
	if info, err := os.Stat(path); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	checked, err := verifyLocked(path)
	if err != nil {
		return err
	}
	f.db, err = openBolt(path, false, f.openNoted)
	if err != nil {
		return err
	}
	if err := f.loadVerified(checked); err != nil {
		_ = guard(f.db.Close)
		return err
	}
	return nil
}

// loadVerified reads the database that was opened, unless it changed since it was verified.
func (f *Store) loadVerified(checked boltcheck.Layout) error {
	now, err := boltcheck.ReadLayout(f.path)
	if err != nil {
		return err
	}
	if now != checked {
		return ErrInUse
	}
	if err := guard(func() error { return f.db.View(f.load) }); err != nil {
		return err
	}
	if err := f.restrictMode(); err != nil {
		return err
	}
	return guard(f.index)
}

// ErrInUse says that another process has the file.
var ErrInUse = errors.New("it is in use by another process")

// verifyLocked verifies the file while no process writes to it.
func verifyLocked(path string) (boltcheck.Layout, error) {
	db, err := openBolt(path, true, openExisting)
	if err != nil {
		return boltcheck.Layout{}, err
	}
	defer func() { _ = guard(db.Close) }()
	return boltcheck.Verify(path)
}

// openFunc opens a file for bbolt.
type openFunc func(path string, flag int, mode os.FileMode) (*os.File, error)

func openBolt(path string, readOnly bool, open openFunc) (*bolt.DB, error) {
	var db *bolt.DB
	err := guard(func() error {
		var err error
		db, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout: lockWait, ReadOnly: readOnly, FreelistType: bolt.FreelistMapType, NoStatistics: true,
			OpenFile: open,
		})
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrInUse
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrChecksum):
		return nil, boltcheck.DamageError("it is no bbolt file, or its first pages are damaged")
	}
	return nil, err
}

// openExisting is os.OpenFile that never creates a file, and refuses an empty one, which
// bbolt would make a database of.
func openExisting(path string, flag int, mode os.FileMode) (*os.File, error) {
	opened, err := os.OpenFile(path, flag&^os.O_CREATE, mode)
	if err != nil {
		return nil, err
	}
	if info, err := opened.Stat(); err != nil || info.Size() == 0 {
		return nil, errors.Join(err, boltcheck.DamageError("it is empty"), opened.Close())
	}
	return opened, nil
}

// Close implements claims.Store.
func (f *Store) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	broken := f.broken
	f.mu.Unlock()
	close(f.writer.stop)
	<-f.writer.done
	if _, damaged := errors.AsType[*panicError](broken); damaged {
		return nil // closing could block for ever
	}
	return guard(f.db.Close)
}
