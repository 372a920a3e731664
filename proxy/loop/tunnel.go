package loop

import (
	"io"
	"net/http"

	"outrigger/proxy/wire"
)

// mayTunnel reports whether a 101 answer is the one that was asked for.
func (x *Run) mayTunnel(resp *http.Response) bool {
	_, ok := resp.Body.(io.ReadWriteCloser) // not without "Connection: Upgrade"
	return ok && x.Upgrade && wire.IsWebSocket(resp.Header)
}
