package process

import (
	"fmt"
	"net"
	"os"
)

// inherited is what programs take over from this process: what they need to run, and no
// setting of Outrigger's or of a client's.
func inherited() []string {
	var all []string
	for _, name := range []string{"PATH", "HOME", "LANG", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// FreeAddr returns a loopback address on which nobody listens.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // listening does not wait
	if err != nil {
		return "", fmt.Errorf("no free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
