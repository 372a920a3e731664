package boltcheck

import "os"

// DamageError says why a file is refused, and what its owner can do.
type DamageError string

// Error returns the reason and the advice.
func (n DamageError) Error() string {
	return string(n) + "; it is left as it is: move it away to start anew, and what it remembers is forgotten"
}

// Verify reads a bbolt file without bbolt, and returns a DamageError unless its pages are
// intact. Nobody may write to the file meanwhile.
//
// Both meta pages must be valid, although bbolt would go on with one: that is the last commit
// but one, in which a claim may be missing. No kill leaves such a file, since each meta page
// is written by one call, within one sector.
func Verify(path string) (Layout, error) {
	opened, err := os.Open(path)
	if err != nil {
		return Layout{}, err
	}
	defer func() { _ = opened.Close() }()
	l, err := readLayout(opened)
	if err != nil {
		return Layout{}, err
	}
	v := verifier{Layout: l, from: opened, seen: make([]byte, l.Pages/8+1)}
	v.see(0)
	v.see(1)
	return l, v.all()
}
