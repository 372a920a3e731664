package file

import (
	"errors"
	"fmt"
	"os"
)

// openNoted is openExisting that notes which file it opened.
func (f *Store) openNoted(path string, flag int, mode os.FileMode) (*os.File, error) {
	opened, err := openExisting(path, flag, mode)
	if err != nil {
		return nil, err
	}
	if f.opened, err = opened.Stat(); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

// restrictMode makes the file, which is known to be a store, private to its owner.
func (f *Store) restrictMode() error {
	if f.opened.Mode().Perm()&0o077 == 0 {
		return nil
	}
	path := f.path
	again, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = again.Close() }()
	if info, err := again.Stat(); err != nil || !os.SameFile(info, f.opened) {
		return errors.Join(err, errGone)
	}
	if err := again.Chmod(0o600); err != nil {
		return fmt.Errorf("others can read it, and that cannot be changed: %w", err)
	}
	return nil
}

// errGone says that the path no longer leads to the open file. The next process would make
// another file, with another hash key, and claim again what is claimed here.
var errGone = errors.New("the file was removed or replaced while it was in use; restart Outrigger to go on with the one that is there, or with an empty one")

// checkPath returns errGone unless the path leads to the open file.
func (f *Store) checkPath() error {
	if info, err := os.Stat(f.path); err != nil || !os.SameFile(info, f.opened) {
		return errGone
	}
	return nil
}
