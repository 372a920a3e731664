//go:build unix

package resources

import "syscall"

// Descriptors returns how many files and connections the process may have open, 0 if that
// is not known. The Go runtime has raised it to the hard limit by then.
func Descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), 1<<30)) //nolint:unconvert // it is signed on some systems
}
