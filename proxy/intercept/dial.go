package intercept

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"outrigger/internal/resources"
	"outrigger/proxy/outward"
)

// dialer opens the far end of blind tunnels.
type dialer struct {
	timeout time.Duration
	outward func(*http.Request) (*url.URL, error)
	control func(network, address string, c syscall.RawConn) error // onlyPublic, but in tests
}

// dial connects to host and port, through the proxy that the environment names for
// them, if any. That one then resolves the name, and its rules hold for what the
// name stands for; an address that no tunnel may lead to is refused here.
func (d *dialer) dial(ctx context.Context, host, port string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	address := net.JoinHostPort(host, port)
	if _, err := netip.ParseAddr(host); err == nil {
		if err := d.control("tcp", address, nil); err != nil {
			return nil, err
		}
	}
	via, err := d.outward(&http.Request{URL: &url.URL{Scheme: "https", Host: address}})
	if err != nil {
		return nil, err
	}
	if via == nil {
		return (&net.Dialer{Control: d.direct}).DialContext(ctx, "tcp", address)
	}
	return dialVia(ctx, via, address)
}

// direct is the net.Dialer's Control where no proxy is on the way.
func (d *dialer) direct(network, address string, c syscall.RawConn) error {
	if err := d.control(network, address, c); err != nil {
		return err
	}
	return spare(network, address, c)
}

// spare is a net.Dialer's Control that takes no descriptor which is kept for probes.
func spare(_, _ string, c syscall.RawConn) error { return resources.KeepReserve(c) }

// dialVia opens a tunnel to address through another proxy.
func dialVia(ctx context.Context, via *url.URL, address string) (net.Conn, error) {
	if outward.IsSOCKS(via) {
		return outward.Through(via, (&net.Dialer{Control: spare}).DialContext, 0)(ctx, "tcp", address)
	}
	if via.Scheme != "http" && via.Scheme != "https" {
		return nil, fmt.Errorf("tunnels through a %s proxy are not supported", via.Scheme)
	}
	conn, err := (&net.Dialer{Control: spare}).DialContext(ctx, "tcp", Authority(via))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if via.Scheme == "https" {
		secure := tls.Client(conn, &tls.Config{ServerName: via.Hostname(), MinVersion: tls.VersionTLS12})
		conn = secure
	}
	ask := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if user := via.User; user != nil {
		password, _ := user.Password()
		basic := &http.Request{Header: http.Header{}}
		basic.SetBasicAuth(user.Username(), password)
		ask.Header.Set("Proxy-Authorization", basic.Header.Get("Authorization"))
	}
	if err := ask.Write(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	answer := bufio.NewReader(conn)
	response, err := http.ReadResponse(answer, ask) //nolint:bodyclose // the connection goes on, or is closed
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the proxy on the way out answers %s", response.Status)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &buffered{Conn: conn, r: answer}, nil
}

// buffered is a connection of which some was read ahead.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b *buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

func (b *buffered) CloseWrite() error { return closeWrite(b.Conn) }
