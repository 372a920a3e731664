package boltcheck

import "os"

// damageError says why a file is refused, and how to go on.
type DamageError string

// Error returns the reason, and what to do.
func (n DamageError) Error() string {
	return string(n) + "; it is left as it is: move it away to start anew, and what it remembers is forgotten"
}

// verify reads the file without bbolt and reports whether bbolt can: both meta pages
// are valid, all pages are there, each is in use once or free once, and in use as what
// it says it is, with its keys in order. Without this, a damaged page would be found
// when bbolt runs into it, and a damaged list of free pages never, but by its victims.
//
// bbolt itself goes on with one valid meta page: that is the state of the last commit
// but one, in which a claim is missing. No kill leaves such a file, as each meta page
// is written with one call, within one sector.
func Verify(path string) (Layout, error) {
	l, err := ReadLayout(path)
	if err != nil {
		return Layout{}, err
	}
	opened, err := os.Open(path)
	if err != nil {
		return Layout{}, err
	}
	defer func() { _ = opened.Close() }()
	v := verifier{Layout: l, from: opened, seen: make([]byte, l.Pages/8+1)}
	v.see(0)
	v.see(1)
	return l, v.all()
}
