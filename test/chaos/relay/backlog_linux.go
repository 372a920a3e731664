package relay

import (
	"net"
	"syscall"
)

// backlog bounds the connections that wait to be accepted: Linux takes a second listen(2) as a new
// bound, and answers no SYN while the queue is full.
func backlog(l *net.TCPListener, n int) {
	raw, err := l.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.Listen(int(fd), n) })
}
