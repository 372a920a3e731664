//go:build unix

package connbound

import (
	"net"
	"syscall"
)

// isPending reports whether something has come on c that nobody has read yet: a request, on a
// machine that is too busy to take it at once.
func isPending(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	err = raw.Control(func(fd uintptr) {
		n, _, _ = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK) // sockets of package net do not block
	})
	return err == nil && n > 0
}
