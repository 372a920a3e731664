//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package authority

import "io/fs"

// isOpen cannot be told from the mode here: the directory's own rules hold.
func isOpen(fs.FileInfo) bool { return false }

// lock does nothing here: two processes that make the authority at once may end up
// with two, of which the later one stays.
func lock(string) (func(), error) { return func() {}, nil }
