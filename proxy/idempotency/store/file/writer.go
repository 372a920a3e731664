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

// writer is the one goroutine that changes the file. The requests that arrive while it waits
// for the disk share its next transaction, since each transaction costs two fsyncs, which
// take milliseconds. bbolt's own Batch does the same, but in goroutines where a panic over a
// damaged file cannot be recovered.
type writer struct {
	requests chan request
	stop     chan struct{} // closed by Close
	done     chan struct{} // closed when the goroutine has returned

	// The account of what is in the file, which only the goroutine touches: the bytes of
	// all records, and what each owner has that can be evicted.
	used             int64
	answers, evicted usage
}

// usage is what each owner has in the file.
type usage = quota.Usage[struct{}]

// request asks for an edit. The writer sends its result.
type request struct {
	edit   edit
	result chan error
}

const (
	maxBatch   = 128
	sweepEvery = time.Minute
)

// write makes an edit durable, or returns why it did not: ErrFull where there is no room for
// it, else an ErrUnavailable.
func (f *Store) write(e edit) error {
	r := request{e, make(chan error, 1)}
	select {
	case f.writer.requests <- r:
		return <-r.result
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

// gather returns a request and those that wait behind it.
func (f *Store) gather(first request) []request {
	batch := []request{first}
	for len(batch) < maxBatch {
		select {
		case next := <-f.writer.requests:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// commit makes the edits in one transaction, or each in its own if that fails: there may be
// room for some of them.
func (f *Store) commit(batch []request) {
	err := f.update(batch)
	if err != nil && len(batch) > 1 {
		for _, r := range batch {
			f.commit([]request{r})
		}
		return
	}
	for _, r := range batch {
		r.result <- err
	}
}

// update makes the edits, and evicts what no longer fits.
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

// sweep deletes expired records.
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

// errNothing rolls back a transaction that has nothing to write.
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
		if err := f.checkPath(); err != nil { // nobody would find a claim in a file that is gone
			return f.markBroken(err)
		}
		return nil
	case errors.Is(err, errNothing):
		return err
	case isFull(err):
		return fmt.Errorf("%w: %s: %w", claims.ErrFull, f.name(), err)
	}
	return f.markBroken(err)
}

// isFull reports whether an error says that the disk is full. The file is then as it was
// before. That a file cannot grow is an error of bbolt's own (DB.grow in db.go), which wraps
// nothing.
func isFull(err error) bool {
	return strings.HasPrefix(err.Error(), "file resize error") || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
