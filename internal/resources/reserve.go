package resources

import (
	"os"
	"sync"
	"syscall"
)

// Bounds of the descriptors that are kept free for probes and for what the process itself
// opens now and then.
const (
	leastReserve = 8
	mostReserve  = 128
	reserveShare = 16
)

// descriptors does not change while the process runs.
var descriptors = sync.OnceValue(Descriptors)

// Reserve is how many of so many descriptors callers and their requests leave free.
func Reserve(descriptors int) int {
	return max(leastReserve, min(mostReserve, descriptors/reserveShare))
}

// Reserved reports whether descriptor fd is one of those: a new descriptor is the lowest that
// is free, so it is only used when all others are.
func Reserved(fd uintptr) bool {
	n := descriptors()
	return n > 0 && int(fd) >= n-Reserve(n)
}

// Scarce reports whether only reserved descriptors are left.
func Scarce() bool {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return true
	}
	defer f.Close()
	return Reserved(f.Fd())
}

// KeepReserve is for net.Dialer.Control and for new files: what would take a reserved descriptor
// fails as it does where there is none.
func KeepReserve(c syscall.RawConn) error {
	reserved := false
	if err := c.Control(func(fd uintptr) { reserved = Reserved(fd) }); err != nil {
		return err
	}
	if reserved {
		return os.NewSyscallError("reserve", syscall.EMFILE)
	}
	return nil
}
