package process

import "syscall"

// endWithParent makes the kernel end the process when the test binary dies without
// running its cleanups, as it does at go test's timeout.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
