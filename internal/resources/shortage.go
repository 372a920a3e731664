package resources

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// Shortage says which of the machine's resources an error tells the lack of, as the end of a
// sentence that says what to raise; "" if it tells of none.
func Shortage(err error) string {
	var op *net.OpError
	switch {
	case err == nil:
		return ""
	case says(err, syscall.EMFILE):
		return fmt.Sprintf("the process has all the file descriptors open that it may have (%d): "+
			"raise its limit (ulimit -n, LimitNOFILE, --ulimit nofile), or lower OUTRIGGER_MAX_CONNECTIONS or OUTRIGGER_MAX_INFLIGHT", Descriptors())
	case says(err, syscall.ENFILE):
		return "the machine has all the files open that it may have: raise fs.file-max"
	case says(err, syscall.ENOBUFS), says(err, syscall.ENOMEM):
		return "the machine has no memory left for a socket or a file: give it more, or raise net.ipv4.tcp_mem"
	case errors.Is(err, syscall.EADDRNOTAVAIL) && errors.As(err, &op) && op.Op == "dial" && reaches(op.Addr):
		return "no local port is free for a connection to that address: widen net.ipv4.ip_local_port_range, or lower OUTRIGGER_MAX_INFLIGHT"
	}
	return ""
}

// says reports whether err is errno, or a failed look-up of a name that met it: of that only
// the words are left (net.DNSError).
func says(err error, errno syscall.Errno) bool {
	var dns *net.DNSError
	return errors.Is(err, errno) || errors.As(err, &dns) && strings.HasSuffix(dns.Err, ": "+errno.Error())
}

// reaches reports whether this machine has an address to reach to from. A dial to ::1 where
// there is no IPv6 fails as one does for which no port is left. UDP has ports of its own, and
// its connecting sends nothing.
func reaches(to net.Addr) bool {
	if to == nil {
		return false
	}
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "udp", to.String())
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
