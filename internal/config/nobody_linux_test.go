package config

import (
	"runtime"
	"syscall"
	"testing"
)

// asNobody runs f, which meets the file system as a user who owns nothing even where root
// runs the test.
func asNobody(_ *testing.T, f func()) {
	const nobody = 65534
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()       // never unlocked: the thread ends with the goroutine
		_ = syscall.Setfsuid(nobody) // of this thread alone; changes nothing for whoever is not root
		f()
	}()
	<-done
}
