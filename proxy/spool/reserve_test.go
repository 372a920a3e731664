package spool

import (
	"errors"
	"math"
	"os"
	"syscall"
	"testing"
)

// last is a file that has the last of all descriptors.
type last struct{}

func (last) SyscallConn() (syscall.RawConn, error) { return last{}, nil }
func (last) Control(f func(uintptr)) error         { f(math.MaxInt32); return nil }
func (last) Read(func(uintptr) bool) error         { return nil }
func (last) Write(func(uintptr) bool) error        { return nil }

// Probes need the descriptors that are left, and a body may be kept in memory.
func TestAFileTakesNoReservedDescriptor(t *testing.T) {
	if err := keepReserve(last{}); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("one of the last: %v", err)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := keepReserve(f); err != nil {
		t.Errorf("one of the first: %v", err)
	}
}
