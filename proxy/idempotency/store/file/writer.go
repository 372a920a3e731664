package file

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"

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

	// The account of what is in the file, the goroutine's own: the bytes of all records,
	// and whose those are that can make room.
	used           int64
	answers, spent usage
}

// usage is what each owner has in the file; its records are in no memory.
type usage = quota.Usage[struct{}]

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
func (f *Store) write(e edit) error {
	r := request{e, make(chan error, 1)}
	select {
	case f.writer.requests <- r:
		return <-r.fate
	case <-f.writer.done:
		return claims.ErrClosed
	}
}

// run is the writer's goroutine.
func (f *Store) run() {
	defer close(f.writer.done)
	sweep := time.NewTicker(min(sweepEvery, f.limits.TTL))
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
func (f *Store) gather(first request) []request {
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
func (f *Store) commit(batch []request) {
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
func (f *Store) update(batch []request) error {
	return f.transact(func(tx *fileTx) error {
		for _, r := range batch {
			if err := r.edit(tx); err != nil {
				return err
			}
		}
		return tx.evict()
	})
}

// sweep removes what has expired.
func (f *Store) sweep() {
	for more := true; more; {
		err := f.transact(func(tx *fileTx) error {
			some, again, err := tx.expire(time.Now())
			if more = again; !some && err == nil {
				return errNothing
			}
			return err
		})
		if err != nil {
			return
		}
	}
}

// errNothing rolls a transaction back that has nothing to write.
var errNothing = errors.New("nothing to write")

// transact runs an edit in a transaction of its own.
func (f *Store) transact(e edit) error {
	tx := &fileTx{f: f}
	err := f.guarded(func() error {
		return f.db.Update(func(begun *bolt.Tx) error {
			tx.Tx = begun
			return e(tx)
		})
	})
	if err != nil {
		tx.undo()
	}
	switch {
	case err == nil:
		if err := f.there(); err != nil { // a claim in a file that nobody will find is none
			return f.breaks(err)
		}
		return nil
	case errors.Is(err, errNothing):
		return err
	case isFull(err):
		return fmt.Errorf("%w: %s: %w", claims.ErrFull, f.name(), err)
	}
	return f.breaks(err)
}

// isFull reports whether an error says that there is no room on a disk. The file is
// then as it was before. That the file cannot grow is an error of bbolt's own (DB.grow
// in db.go), which wraps nothing.
func isFull(err error) bool {
	return strings.HasPrefix(err.Error(), "file resize error") || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
