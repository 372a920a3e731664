package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/proxy/apierror"
	"outrigger/proxy/body"
	proxycall "outrigger/proxy/call"
	"outrigger/proxy/loop"
	"outrigger/proxy/settings"
	"outrigger/proxy/spool"
)

// starve has the next n dials to all upstreams fail with err, all of them if n is below 0.
func (g *rig) starve(n int64, err error) *atomic.Int64 {
	left := &atomic.Int64{}
	left.Store(n)
	for _, u := range g.proxy.gen().Upstreams {
		for _, t := range []http.RoundTripper{u.Pooled, u.Fresh} {
			t := t.(*http.Transport)
			dial := t.DialContext
			t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if left.Add(-1) >= 0 || n < 0 {
					return nil, err
				}
				return dial(ctx, network, address)
			}
		}
	}
	return left
}

func dialError(errno syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", errno)}
}

var shortages = map[string]error{
	"EMFILE":             dialError(syscall.EMFILE),
	"ENFILE":             dialError(syscall.ENFILE),
	"ENOBUFS":            dialError(syscall.ENOBUFS),
	"EMFILE in a name's": &net.DNSError{Err: "dial udp 127.0.0.1:53: socket: too many open files", Name: "upstream.test", IsTemporary: true},
	"EADDRNOTAVAIL":      &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)},
}

func TestALackOfDescriptorsIsNotTheUpstreams(t *testing.T) {
	for name, err := range shortages {
		for kind, path := range map[string]string{"a compute": chatPath, "a create": "/v1/files"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, fine, func(c *settings.Config) { c.Retry.Max, c.Breaker.Consecutive = 3, 2 })
					up := g.proxy.gen().Upstreams[0]
					budget := up.Budget.Remaining(time.Now())
					g.starve(-1, err)
					for range 20 {
						resp, body := g.do(g.request(http.MethodPost, path, chatBody))
						if resp.StatusCode != 503 || errorCode(t, body) != "resources_exhausted" || resp.Header.Get("X-Outrigger-Source") != "local" ||
							resp.Header.Get("X-Outrigger-Attempts") != "4" || resp.Header.Get("Retry-After") != "1" {
							t.Fatalf("answered %d %v %s", resp.StatusCode, resp.Header, body)
						}
						if !strings.Contains(body, ": raise") && !strings.Contains(body, ": widen") && !strings.Contains(body, ": give") {
							t.Fatalf("it does not say what to raise: %s", body)
						}
					}
					if s := up.Gate.Breaker.Snapshot(); s.Failures != 0 || up.Gate.Shut() {
						t.Errorf("the breaker counts %+v", s)
					}
					if after := up.Budget.Remaining(time.Now()); after < budget {
						t.Errorf("the retry budget went from %d to %d", budget, after)
					}
					if g.calls.Load() != 0 {
						t.Errorf("the upstream saw %d calls", g.calls.Load())
					}
				})
			})
		}
	}
}

func TestADescriptorThatComesFreeServesTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine)
		g.starve(3, dialError(syscall.EMFILE))
		for range 2 {
			if resp, body := g.chat(); resp.StatusCode != 200 {
				t.Errorf("answered %d %s", resp.StatusCode, body)
			}
		}
	})
}

// What else keeps a connection from being had stays the upstream's.
func TestOtherFailuresToConnectStayTheUpstreams(t *testing.T) {
	for name, err := range map[string]error{
		"refused":                     dialError(syscall.ECONNREFUSED),
		"no route":                    dialError(syscall.EHOSTUNREACH),
		"no such name":                &net.DNSError{Err: "no such host", Name: "too many open files", IsNotFound: true},
		"an address nothing leads to": &net.OpError{Op: "dial", Net: "tcp", Addr: nil, Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, fine, func(c *settings.Config) { c.Retry.Max = 1 })
				g.starve(-1, err)
				resp, body := g.chat()
				if resp.StatusCode != 502 || errorCode(t, body) != "upstream_unreachable" {
					t.Errorf("answered %d %s", resp.StatusCode, body)
				}
				if s := g.proxy.gen().Upstreams[0].Gate.Breaker.Snapshot(); s.Failures != 2 {
					t.Errorf("the breaker counts %+v", s)
				}
			})
		})
	}
}

// Another upstream needs a descriptor too.
func TestALackOfDescriptorsIsNoReasonToFailOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine, func(c *settings.Config) {
			other := c.Upstreams[0]
			other.Name = "other"
			c.Upstreams = append(c.Upstreams, other)
			c.Failover = policy.Failover{policy.FailoverBreaker, policy.FailoverUnreachable, policy.FailoverOverloaded}
		})
		g.starve(2, dialError(syscall.EMFILE))
		if resp, body := g.chat(); resp.StatusCode != 200 || resp.Header.Get("X-Outrigger-Failover") != "" || resp.Header.Get("X-Outrigger-Upstream") != "openai" {
			t.Errorf("answered %d %v %s", resp.StatusCode, resp.Header, body)
		}
	})
}

func TestABodyThatCannotBeSpooledForWantOfDescriptorsSaysSo(t *testing.T) {
	p := of(&loop.Loop{})
	x := p.newExchange(t.Context(), p.pin(), nil, &proxycall.Call{Method: http.MethodPost, Body: body.Body{Kept: &spool.Body{}}})
	x.Identity.Key = "k"
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a/v1/files", nil)
	for want, err := range map[string]error{
		"resources_exhausted": fmt.Errorf("creating a spool file: %w", &os.PathError{Op: "open", Path: "/tmp/x", Err: syscall.EMFILE}),
		"spool_full":          fmt.Errorf("writing a spool file: %w", &os.PathError{Op: "write", Path: "/tmp/x", Err: syscall.ENOSPC}),
	} {
		var e *apierror.Error
		if got := x.passOn(r, &intake{src: io.MultiReader()}, err); !errors.As(got, &e) || string(e.Code) != want || e.Status != 503 {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}
