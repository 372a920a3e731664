//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package authority

import (
	"io/fs"
	"os"
	"syscall"
)

// isOpen reports whether others than this process's user could read or change it.
func isOpen(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm()&0o077 != 0 || !ok || int(stat.Uid) != os.Geteuid()
}

// lock waits until no other process holds path, and returns what ends its hold. The
// end of the process does too.
func lock(path string) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR { //nolint:errorlint // it is the bare number
			break
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
	}
	return func() { _ = file.Close() }, nil
}
