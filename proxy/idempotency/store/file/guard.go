package file

import (
	"errors"
	"fmt"
	"runtime/debug"

	"outrigger/proxy/idempotency/claims"

	bolterrors "go.etcd.io/bbolt/errors"
)

// panicError is a panic of bbolt.
type panicError struct{ reason any }

// Error returns what the panic said.
func (d *panicError) Error() string { return fmt.Sprintf("the file is damaged: %v", d.reason) }

// guard runs f, which touches a database, and returns a panic as a *panicError: bbolt panics
// over pages that make no sense, and reading a file that was truncated is a fault. The
// database must not be used afterwards: bbolt's locks may be held.
func guard(f func() error) error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var err error
	func() {
		defer func() {
			if reason := recover(); reason != nil {
				err = &panicError{reason}
			}
		}()
		err = f()
	}()
	return err
}

// guarded is guard for an open store. After a *panicError nothing touches its database.
func (f *Store) guarded(touch func() error) error {
	f.mu.Lock()
	err := f.usable()
	f.mu.Unlock()
	if err != nil {
		return err
	}
	err = guard(touch)
	if _, damaged := errors.AsType[*panicError](err); damaged {
		return f.markBroken(err)
	}
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return claims.ErrClosed
	}
	return err
}

// markBroken notes that the database cannot be used any more, and returns why.
func (f *Store) markBroken(cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.broken = fmt.Errorf("%w: %s: %w", claims.ErrUnavailable, f.name(), cause)
	}
	return f.broken
}

// usable returns why the store cannot be used, nil if it can. It wants f.mu.
func (f *Store) usable() error {
	if f.closed {
		return claims.ErrClosed
	}
	return f.broken
}
