package upstream

import (
	"syscall"

	"outrigger/internal/resources"
)

// control sets up a socket before it connects to an upstream. It leaves some descriptors to
// others: probes would else find none when requests have taken all.
func control(network, address string, c syscall.RawConn) error {
	if err := resources.KeepReserve(c); err != nil {
		return err
	}
	return keepUnsentShort(network, address, c)
}
