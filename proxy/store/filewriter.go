package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

// writer is the one goroutine that changes the file. What arrives while it waits for
// the disk goes into its next transaction together: one transaction costs two fsyncs,
// milliseconds, however much is in it. bbolt's own Batch would do the same, but runs
// in goroutines in which a panic over a damaged file could not be caught.
type writer struct {
	requests chan request
	stop     chan struct{} // closed by Close
	done     chan struct{} // closed when the goroutine has returned
	used     int64         // cost of all records; the goroutine's own
}

// request asks for an edit; its fate is sent on fate.
type request struct {
	edit edit
	fate chan error
}

const (
	batchMost  = 128
	sweepEvery = time.Minute
)

// write makes an edit last, or returns why it did not: ErrFull where there is no room
// for it, else an ErrUnavailable.
func (f *file) write(e edit) error {
	r := request{e, make(chan error, 1)}
	select {
	case f.writer.requests <- r:
		return <-r.fate
	case <-f.writer.done:
		return ErrClosed
	}
}

// run is the writer's goroutine.
func (f *file) run() {
	defer close(f.writer.done)
	sweep := time.NewTicker(min(sweepEvery, f.config.TTL))
	defer sweep.Stop()
	for {
		select {
		case first := <-f.writer.requests:
			f.commit(f.gather(first))
		case <-sweep.C:
			f.sweep()
		case <-f.writer.stop:
			return
		}
	}
}

// gather returns the request and those that wait behind it.
func (f *file) gather(first request) []request {
	batch := []request{first}
	for len(batch) < batchMost {
		select {
		case next := <-f.writer.requests:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// commit makes the edits in one transaction, or each in its own if that fails: there
// may be room for the small ones.
func (f *file) commit(batch []request) {
	err := f.update(batch)
	if err != nil && len(batch) > 1 {
		for _, r := range batch {
			f.commit([]request{r})
		}
		return
	}
	for _, r := range batch {
		r.fate <- err
	}
}

// update makes the edits, and room for them.
func (f *file) update(batch []request) error {
	return f.transact(func(tx *bolt.Tx) (int64, error) {
		grown := int64(0)
		for _, r := range batch {
			n, err := r.edit(tx)
			if err != nil {
				return 0, err
			}
			grown += n
		}
		freed, err := f.evict(tx, f.writer.used+grown)
		return grown - freed, err
	})
}

// sweep removes what has expired.
func (f *file) sweep() {
	for more := true; more; {
		err := f.transact(func(tx *bolt.Tx) (int64, error) {
			freed, again, err := f.expire(tx, time.Now())
			if more = again; freed == 0 && err == nil {
				return 0, errNothing
			}
			return -freed, err
		})
		if err != nil {
			return
		}
	}
}

// errNothing rolls a transaction back that has nothing to write.
var errNothing = errors.New("nothing to write")

// transact runs an edit in a transaction of its own.
func (f *file) transact(e edit) error {
	grown := int64(0)
	err := f.guarded(func() error {
		return f.db.Update(func(tx *bolt.Tx) error {
			var err error
			grown, err = e(tx)
			return err
		})
	})
	switch {
	case err == nil:
		f.writer.used += grown
		if err := f.there(); err != nil { // a claim in a file that nobody will find is none
			return f.breaks(err)
		}
		return nil
	case errors.Is(err, errNothing):
		return err
	case isFull(err):
		return fmt.Errorf("%w: %s: %w", ErrFull, f.config.Spec, err)
	}
	return f.breaks(err)
}

// isFull reports whether an error says that there is no room on a disk. The file is
// then as it was before. That the file cannot grow is an error of bbolt's own (DB.grow
// in db.go), which wraps nothing.
func isFull(err error) bool {
	return strings.HasPrefix(err.Error(), "file resize error") || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
