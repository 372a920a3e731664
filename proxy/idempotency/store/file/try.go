package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Try reports why the file could not be opened now, nil if it could. It changes nothing.
func Try(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		made, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
		if err != nil {
			return fmt.Errorf("making it: %w", reason(err))
		}
		return errors.Join(made.Close(), os.Remove(made.Name()))
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	}
	opened, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_ = opened.Close()
	_, err = verifyLocked(path)
	return err
}

// reason strips the name of a temporary file from an error of package os.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
