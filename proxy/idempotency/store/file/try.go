package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

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

// reason strips from an error of os the name of a file that was only for trying.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
