//go:build !unix

package connbound

import "net"

// isPending cannot tell here whether something has come on a connection.
func isPending(net.Conn) bool { return false }
