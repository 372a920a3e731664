package file

import (
	"bytes"
	"os"
	"testing"

	"outrigger/test/storetest"
)

// Opening a file never panics, whatever its bytes, and changes it only if it is intact.
func FuzzFile(f *testing.F) {
	path := newPath(f)
	s, err := Open(path, storetest.Roomy(), storetest.Unbounded{})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, []byte{})
	f.Add(os.Getpagesize()*2+8, []byte{1, 0, 255, 255, 255, 255, 255, 255})
	f.Add(os.Getpagesize()*3+10, []byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, i int, patch []byte) {
		damaged := bytes.Clone(whole)
		if i >= 0 && i < len(damaged) {
			copy(damaged[i:], patch)
		}
		checkRefusedOrWhole(t, newPath(t), damaged, nil)
	})
}
