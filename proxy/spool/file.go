package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"outrigger/internal/resources"
)

// file is what a spool file must do: the seam at which tests fill the disk.
// Reads and writes name their offset, so that readers share one descriptor.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// createUnlinked makes a file in dir that has no name any more when it returns,
// so that neither a crash nor a reader of the directory finds a prompt in it. Its
// mode is 0600 while it has one (os.CreateTemp). A file that cannot be unlinked is
// not used.
func createUnlinked(dir string) (file, error) {
	f, err := os.CreateTemp(dir, "outrigger-*")
	if err != nil {
		return nil, fmt.Errorf("creating a spool file: %w", err)
	}
	err = os.Remove(f.Name())
	if err != nil {
		return nil, fmt.Errorf("unlinking a spool file: %w", errors.Join(err, f.Close()))
	}
	if err := keepReserve(f); err != nil {
		return nil, fmt.Errorf("creating a spool file: %w", errors.Join(err, f.Close()))
	}
	return f, nil
}

// keepReserve fails where f took a descriptor that is kept for probes.
func keepReserve(f syscall.Conn) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return resources.KeepReserve(raw)
}
