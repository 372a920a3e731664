package upstream

import "syscall"

// tcpNotsentLowat is TCP_NOTSENT_LOWAT of linux/tcp.h, which package syscall lacks.
const tcpNotsentLowat = 25

// unsentMost is how much of a request the system may hold that it has not yet sent. By
// itself it takes several MiB at once, and whoever waits for a slow upstream to take
// them sees nothing move. Only what is unsent counts, not what is under way, so a fast
// connection over a long distance is as fast as without.
const unsentMost = 64 << 10

// keepUnsentShort makes writes to a connection keep pace with what it sends. One that
// cannot is used as it is.
func keepUnsentShort(_, _ string, c syscall.RawConn) error {
	_ = c.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotsentLowat, unsentMost)
	})
	return nil
}
