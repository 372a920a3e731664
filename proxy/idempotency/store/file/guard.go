package file

import (
	"errors"
	"fmt"
	"runtime/debug"

	"outrigger/proxy/idempotency/claims"

	bolterrors "go.etcd.io/bbolt/errors"
)

// damage is what bbolt panicked over.
type damage struct{ reason any }

// Error says what the panic said.
func (d *damage) Error() string { return fmt.Sprintf("the file is damaged: %v", d.reason) }

// guard runs f, which touches a database, and returns a panic as a *damage: bbolt
// panics over pages that make no sense, and reading a file that became shorter is a
// fault. The database is not to be used after one: locks of bbolt's may be held.
func guard(f func() error) error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var err error
	func() {
		defer func() {
			if reason := recover(); reason != nil {
				err = &damage{reason}
			}
		}()
		err = f()
	}()
	return err
}

// guarded is guard for a store that is open. After a *damage nothing touches its
// database again.
func (f *Store) guarded(touch func() error) error {
	f.mu.Lock()
	err := f.usable()
	f.mu.Unlock()
	if err != nil {
		return err
	}
	err = guard(touch)
	if _, damaged := errors.AsType[*damage](err); damaged {
		return f.breaks(err)
	}
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return claims.ErrClosed
	}
	return err
}

// breaks notes that the database cannot be used any more, and returns why.
func (f *Store) breaks(cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.broken = fmt.Errorf("%w: %s: %w", claims.ErrUnavailable, f.name(), cause)
	}
	return f.broken
}

// usable wants f.mu, and returns why the store is not usable.
func (f *Store) usable() error {
	if f.closed {
		return claims.ErrClosed
	}
	return f.broken
}
