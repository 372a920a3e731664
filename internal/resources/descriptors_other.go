//go:build !unix

package resources

// Descriptors returns how many files and connections the process may have open, 0 if that
// is not known.
func Descriptors() int { return 0 }
