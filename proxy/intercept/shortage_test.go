package intercept

import (
	"context"
	"errors"
	"math"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// last is a socket that has the last of all descriptors.
type last struct{}

func (last) Control(f func(uintptr)) error  { f(math.MaxInt32); return nil }
func (last) Read(func(uintptr) bool) error  { return nil }
func (last) Write(func(uintptr) bool) error { return nil }

func TestAShortageIsToldToWhoAsksForATunnel(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"no descriptor": {&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}, 503, "resources_exhausted"},
		"none for the name": {&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
			Err: "dial udp 127.0.0.53:53: socket: " + syscall.EMFILE.Error(), Name: "example.com",
		}}, 503, "resources_exhausted"},
		"no memory":      {&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.ENOBUFS)}, 503, "resources_exhausted"},
		"a reserved one": {&net.OpError{Op: "dial", Net: "tcp", Err: (&dialer{control: onlyPublic}).direct("tcp", "1.1.1.1:443", last{})}, 503, "resources_exhausted"},
		"nobody there":   {&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, 502, "tunnel_failed"},
		"no such name":   {&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "example.com", IsNotFound: true}}, 502, "tunnel_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, func(context.Context, string, string) (net.Conn, error) { return nil, tt.err })
			_, _, status, body := g.connect(t, "example.com:443", "")
			if status != tt.status || !strings.Contains(body, `"`+tt.code+`"`) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// Probes need the descriptors that are left.
func TestATunnelTakesNoReservedDescriptor(t *testing.T) {
	if err := spare("tcp", "1.1.1.1:443", last{}); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("to a proxy on the way: %v", err)
	}
	d := &dialer{control: onlyPublic}
	if err := d.direct("tcp", "1.1.1.1:443", last{}); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("without one: %v", err)
	}
	if err := d.direct("tcp", "127.0.0.1:443", last{}); !errors.Is(err, ErrAddress) {
		t.Errorf("to an address that no tunnel may lead to: %v", err)
	}
}
